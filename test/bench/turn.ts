// How long one turn of the controller's loop takes with ten thousand Services when one of them
// changed: facts folded, planned, stored in memory, handed to the outboxes of all agents, told and
// handed to publishers. On a fake clock, so that the loop's own pauses are not measured. No agent
// has a stream: what is sent and answered is not part of it.

import { setImmediate } from "node:timers/promises";

import type { Claim } from "@fairlead/model";
import {
  type Cycle,
  type Fact,
  type Source,
  createCycle,
  createSoleElection,
  createSyncServer,
} from "@fairlead/controller";
import { type FakeClock, createFakeClock, createLogger } from "@fairlead/runtime";
import { createMemoryMedium, createMemoryStore, makeClaim, makePool } from "@fairlead/testkit";
import { createRevisions } from "@fairlead/wire";

import { quantile } from "./goal.ts";
import { makeBenchAgents, makeBenchClaims } from "./planning.ts";

/** The figure is the median of so many turns, after some that warm up. */
const TURNS = 20;
const WARM_UPS = 5;
/** Longer than the loop waits for agents before its first plan, in ms. */
const START_MS = 3000;
/** Longer than the loop waits for more facts, in ms. */
const QUIET_MS = 10;

/** Measures; takes a few seconds of one core. Returns the median in ms. */
export async function benchTurn(): Promise<number> {
  const clock = createFakeClock();
  const log = createLogger({ level: "silent", format: "json" });
  const revisions = createRevisions();
  let say: (facts: readonly Fact[]) => void = () => undefined;
  const source = handPlayed(makeBenchClaims(), (emit) => (say = emit));
  const publishers = [{ name: "none", publish: () => Promise.resolve() }];
  const emit = (facts: readonly Fact[]): void => cycle.emit(facts);
  await using delivery = createSyncServer({ clock, log, revisions, emit, version: "bench" });
  await using cycle = createCycle({
    clock,
    log,
    settings: { advertIntervalMs: 100, reservedRouterIds: [], staleAfterMs: 60_000 },
    election: createSoleElection("bench"),
    store: createMemoryStore({ medium: createMemoryMedium() }),
    sources: [source],
    delivery,
    publishers,
    revisionOf: revisions.revisionOf,
    onFenced: () => undefined,
    onFailed: () => undefined,
  });
  await cycle.start();
  for (const { hello } of makeBenchAgents()) say([{ kind: "agent-hello", atMs: 0, hello }]);
  await clock.advance(START_MS);
  await settle(clock, cycle);
  const times: number[] = [];
  for (let turn = 0; turn < WARM_UPS + TURNS; turn += 1) {
    const claim = makeClaim(`svc-${turn}`, { createdAtMs: turn, members: ["10.2.0.1:8080"] });
    const begun = performance.now();
    say([{ kind: "claim-seen", source: source.name, claim }]);
    await settle(clock, cycle);
    times.push(performance.now() - begun);
  }
  return quantile(times.slice(WARM_UPS), 0.5);
}

/** Planning has turns of the real event loop, between which the loop begins pauses of its own. */
async function settle(clock: FakeClock, cycle: Pick<Cycle, "settled">): Promise<void> {
  let isSettled = false;
  const settled = cycle.settled().then(() => (isSettled = true));
  while (!isSettled) {
    await clock.advance(QUIET_MS);
    await setImmediate();
  }
  await settled;
}

/** A source that lists the claims and one pool, and then says what it is told to. */
function handPlayed(
  claims: readonly Claim[],
  take: (emit: (facts: readonly Fact[]) => void) => void,
): Source {
  const name = "bench";
  const pool = makePool("default", "10.64.0.0/16");
  return {
    name,
    start: async (emit) => {
      take(emit);
      emit([
        { kind: "pool-seen", source: name, pool },
        ...claims.map((claim): Fact => ({ kind: "claim-seen", source: name, claim })),
        {
          kind: "source-listed",
          source: name,
          atMs: 0,
          claims: new Set(claims.map(({ id }) => id)),
          pools: new Set([pool.name]),
        },
      ]);
      await Promise.resolve();
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}
