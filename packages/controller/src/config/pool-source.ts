// The configured pools as a source: they are there from the start and never change. It lists them
// again and again, as what the store knows and no source shows counts as gone only by lists.

import { type AddressPool, compareText } from "@fairlead/model";
import type { Clock, Timer } from "@fairlead/runtime";

import type { Fact } from "../facts.ts";
import type { Source } from "../ports.ts";

/** Time between two lists, in ms. */
const LIST_MS = 10_000;

/** What the source shows. */
export interface PoolSourceOptions {
  readonly pools: readonly AddressPool[];
  readonly clock: Clock;
}

/** Makes the source. */
export function createPoolSource({ pools, clock }: PoolSourceOptions): Source {
  const name = "pools";
  const sorted = pools.toSorted((a, b) => compareText(a.name, b.name));
  const names = new Set(sorted.map((pool) => pool.name));
  let timer: Timer | undefined;
  let isStopped = false;

  function list(emit: (facts: readonly Fact[]) => void, news: readonly Fact[]): void {
    if (isStopped) return;
    const atMs = clock.wallMs();
    emit([...news, { kind: "source-listed", source: name, atMs, claims: new Set(), pools: names }]);
    timer = clock.setTimer(LIST_MS, () => list(emit, []));
  }

  return {
    name,
    start: (emit) => {
      const seen = sorted.map((pool): Fact => ({ kind: "pool-seen", source: name, pool }));
      list(emit, seen);
      return Promise.resolve();
    },
    [Symbol.asyncDispose]: () => {
      isStopped = true;
      timer?.cancel();
      return Promise.resolve();
    },
  };
}
