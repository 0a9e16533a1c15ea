// A cluster in memory with a source of pools and the publisher of their status, on a fake clock:
// what the loop says of the pool `lan`, and what was written of it. For tests alone.

import { setImmediate } from "node:timers/promises";

import { type Finding, type LeasedAddress, parseAddress, present } from "@fairlead/model";
import { createFakeClock, type FakeClock } from "@fairlead/runtime";

import type { Publication } from "../ports.ts";
import { createPoolPublisher } from "../publish/kube/pool-publisher.ts";
import type { PublishTrouble } from "../publish/kube/publish-trouble.ts";
import { followPools, type PoolKind } from "../sources/kube/pool-kind.ts";
import { MemoryPools } from "./memory-pools.ts";

/** What most pools here are made of: ten addresses. */
export const SPEC: Readonly<Record<string, unknown>> = { addresses: ["192.0.2.100-192.0.2.109"] };

/** A cluster with a source of pools and their publisher. */
export class PoolStage {
  readonly clock: FakeClock = createFakeClock();
  readonly cluster: MemoryPools = new MemoryPools();
  readonly troubles: PublishTrouble[] = [];
  readonly results: string[] = [];
  readonly source: PoolKind = followPools(
    {
      client: this.cluster,
      clock: this.clock,
      random: () => 0.5,
      source: "kubernetes",
      onFact: () => undefined,
      onNews: () => undefined,
    },
    "cluster lab",
  );
  readonly publisher: ReturnType<typeof createPoolPublisher> = createPoolPublisher({
    client: this.cluster,
    clock: this.clock,
    random: () => 0.5,
    pools: this.source.records,
    onTrouble: (trouble) => void this.troubles.push(trouble),
    onWrite: (kind, result) => void this.results.push(`${kind} ${result}`),
  });
  #held = 0;
  #findings: readonly Finding[] = [];

  /** The source lists. */
  async start(): Promise<this> {
    this.source.start();
    await this.pass(10);
    return this;
  }

  /** The loop says that so many addresses of `lan` are held. */
  say(held: number, findings: readonly Finding[] = []): void {
    this.#held = held;
    this.#findings = findings;
    void this.publisher.publish(this.#publication());
  }

  /** Time passes, and what waits for promises alone goes on. */
  async pass(ms: number): Promise<void> {
    for (let rest = ms; rest > 0; rest -= 100) {
      await this.clock.advance(Math.min(100, rest));
      for (let turn = 0; turn < 5; turn += 1) await setImmediate();
    }
  }

  /** How often the status of a pool was written. */
  writes(name = "lan"): number {
    return this.cluster.asked.filter((words) => words === `PATCH ${name}`).length;
  }

  /** What is told of writes that fail, when it began and when it ended. */
  told(): readonly string[] {
    return this.troubles.map((trouble) =>
      trouble.kind === "finding"
        ? `+ ${trouble.finding.name}: ${trouble.finding.detail}`
        : `- ${trouble.name}`,
    );
  }

  /** `3/10`, as the status of `lan` says it. */
  used(): unknown {
    const usage = this.cluster.status("lan")["usage"] as
      | { readonly ipv4?: { readonly used: string } }
      | undefined;
    return usage?.ipv4?.used;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.publisher[Symbol.asyncDispose]();
    await this.source.end();
  }

  #publication(): Publication {
    const leases = Array.from({ length: this.#held }, (_, i) => lease(`192.0.2.${100 + i}`));
    return {
      claims: new Map(),
      verdicts: new Map(),
      agents: new Map(),
      moves: new Map(),
      leases: new Map(leases.map((one) => [one.address, one])),
      intents: [],
      findings: this.#findings,
    };
  }
}

function lease(text: string): LeasedAddress {
  const address = present(parseAddress(text), text);
  const base = { address, pool: "lan", owners: [], lastClaim: "service/default/web", sentTo: [] };
  return {
    ...base,
    placement: { kind: "unplaced" },
    state: { kind: "held" },
    published: true,
    sinceMs: 0,
  } as unknown as LeasedAddress;
}
