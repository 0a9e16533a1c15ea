// A controller's loop on a stage: a store in memory, a folder and agents that are played by hand,
// a publisher that keeps what it gets, and the fake clock. One controller leads from its start.

import nodeAssert from "node:assert/strict";

import {
  createCycle,
  createSoleElection,
  type Cycle,
  type Fact,
  type Publication,
  type Publisher,
} from "@fairlead/controller";
import type { Claim } from "@fairlead/model";
import { createFakeClock, createLogger, type FakeClock } from "@fairlead/runtime";

import { createMemoryMedium, createMemoryStore, type MemoryMedium } from "../fakes/memory-store.ts";
import { makeRevisionOf } from "../plan-answers.ts";
import { createPlayedSource } from "./played-ports.ts";
import { agentProof, type Delivered, lanPool } from "./told-facts.ts";

/** Long enough for the first plan without agents, and for a burst to go round, in ms. */
export const ROUND_MS = 2100;

/** A loop with all that it said. Its pool is `lan`, 192.0.2.100 to .102. */
export interface CycleStage extends AsyncDisposable {
  readonly clock: FakeClock;
  readonly cycle: Cycle;
  readonly medium: MemoryMedium;
  readonly delivered: Delivered[];
  readonly published: Publication[];
  readonly fencedBy: number[];
  readonly disk: { isFull: boolean };
  /** Its log. */
  readonly lines: string[];
  /** What the source says, from `start` on. */
  say(...facts: readonly Fact[]): void;
  /** The agent proves all of its newest plan, and holds every VIP of it. */
  proof(agent: string): Fact;
  /** A claim's line: `pending 192.0.2.100 NoAgents`. */
  line(title: string): string | undefined;
}

/** What is there before a loop starts. */
export interface CycleStageOptions {
  readonly medium?: MemoryMedium;
  /** What the source shows at its start. */
  readonly claims?: readonly Claim[];
  /** Publishes before the one that keeps all. */
  readonly publisher?: Publisher;
}

/** A loop that waits for its start. */
export function makeCycleStage(options: CycleStageOptions = {}): CycleStage {
  const { medium = createMemoryMedium(), claims = [] } = options;
  const clock = createFakeClock();
  const delivered: Delivered[] = [];
  const published: Publication[] = [];
  const fencedBy: number[] = [];
  const lines: string[] = [];
  const disk = { isFull: false };
  const source = createPlayedSource(lanPool("192.0.2.100-192.0.2.102"), claims);
  const recorder = recordingPublisher(published);
  const cycle = createCycle({
    clock,
    log: createLogger({
      level: "info",
      format: "text",
      destination: { write: (text) => void lines.push(text) },
    }),
    settings: { advertIntervalMs: 100, reservedRouterIds: [], staleAfterMs: 60_000 },
    election: createSoleElection("test"),
    store: createMemoryStore({ medium, failing: () => disk.isFull }),
    sources: [source.port],
    delivery: { deliver: (wanted) => void delivered.push(wanted) },
    publishers: options.publisher === undefined ? [recorder] : [options.publisher, recorder],
    revisionOf: makeRevisionOf(),
    onFenced: (epoch) => void fencedBy.push(epoch),
    onFailed: (error) => nodeAssert.fail(error),
  });
  return {
    clock,
    cycle,
    medium,
    delivered,
    published,
    fencedBy,
    disk,
    lines,
    say: (...facts) => source.say(...facts),
    proof: (agent) => agentProof(delivered.at(-1), agent),
    line: (title) => lineOf(cycle, title),
    [Symbol.asyncDispose]: () => cycle[Symbol.asyncDispose](),
  };
}

/** A publisher that keeps what it gets. */
export function recordingPublisher(published: Publication[]): Publisher {
  return {
    name: "recorder",
    publish: async (publication) => {
      await Promise.resolve();
      published.push(publication);
    },
  };
}

function lineOf(cycle: Cycle, title: string): string | undefined {
  const verdict = [...(cycle.view().plan?.verdicts.values() ?? [])].find(
    ({ claim }) => claim === `service/default/${title}`,
  );
  if (verdict === undefined) return undefined;
  const addresses = verdict.addresses.map(({ address }) => address);
  return [verdict.state, ...addresses, verdict.main?.reason ?? ""].join(" ").trim();
}
