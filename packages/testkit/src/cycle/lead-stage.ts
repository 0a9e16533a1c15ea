// A controller's loop whose lead comes and goes: over a store in memory that several may share,
// with an election and a folder that are played by hand, on the fake clock.

import {
  createCycle,
  type Cycle,
  type Fact,
  type Publication,
  type Store,
} from "@fairlead/controller";
import type { Claim } from "@fairlead/model";
import { createFakeClock, createLogger, type FakeClock } from "@fairlead/runtime";

import { makeClaim } from "../builders.ts";
import { createMemoryStore, type MemoryMedium } from "../fakes/memory-store.ts";
import { makeRevisionOf } from "../plan-answers.ts";
import { recordingPublisher } from "./cycle-stage.ts";
import { createPlayedElection, createPlayedSource, type LeadElsewhere } from "./played-ports.ts";
import { type Delivered, lanPool } from "./told-facts.ts";

/** One controller with all that it said. */
export interface LeadStage extends AsyncDisposable {
  readonly clock: FakeClock;
  readonly cycle: Cycle;
  readonly delivered: Delivered[];
  readonly published: Publication[];
  /** What it told the streams and the publisher about the lead, and that before all else. */
  readonly told: string[];
  readonly toldAtStart: readonly string[];
  readonly failed: Error[];
  /** Its log. */
  readonly lines: string[];
  readonly commits: () => number;
  say(...facts: readonly Fact[]): void;
  lead(): Promise<void>;
  lose(): Promise<void>;
  /** What it sees of the lead from now on. */
  see(view: LeadElsewhere): void;
  /** Its time is over, and nobody has told it. */
  expire(): void;
}

/** What a controller stands on. */
export interface LeadStageOptions {
  readonly medium: MemoryMedium;
  /** What its folder shows at its start. Default the Service web. */
  readonly claims?: readonly Claim[];
  /** What it says of statuses when a lead begins. Default: nothing. */
  readonly statuses?: readonly Claim[];
  /** Comes before the store is opened. */
  readonly opening?: () => void | Promise<void>;
  /** A commit has its answer when this has ended. */
  readonly answering?: () => Promise<void>;
}

/** A controller that has started and stands by. */
export async function makeLeadStage(options: LeadStageOptions): Promise<LeadStage> {
  const clock = createFakeClock();
  const delivered: Delivered[] = [];
  const published: Publication[] = [];
  const told: string[] = [];
  const failed: Error[] = [];
  const lines: string[] = [];
  const { store, commits } = countedStore(options);
  const election = createPlayedElection();
  const pool = lanPool("192.0.2.100-192.0.2.120");
  const source = createPlayedSource(pool, options.claims ?? [makeClaim("web")], options.statuses);
  const pause = (): void => void told.push("publisher pauses");
  const cycle = createCycle({
    clock,
    log: createLogger({
      level: "info",
      format: "json",
      destination: { write: (line: string): unknown => lines.push(line) },
    }),
    settings: { advertIntervalMs: 100, reservedRouterIds: [], staleAfterMs: 60_000 },
    election: election.port,
    store,
    sources: [source.port],
    delivery: {
      deliver: (wanted) => void delivered.push(wanted),
      setLead: (whose) => void told.push(`the lead is ${whose}`),
    },
    publishers: [{ ...recordingPublisher(published), pause }],
    revisionOf: makeRevisionOf(),
    onFenced: (epoch) => void failed.push(new Error(`fenced by ${epoch}`)),
    onFailed: (error) => void failed.push(error),
  });
  await cycle.start();
  const toldAtStart = told.splice(0);
  const settle = async (): Promise<void> => clock.advance(0);
  return {
    clock,
    cycle,
    delivered,
    published,
    told,
    toldAtStart,
    failed,
    lines,
    commits,
    say: (...facts) => source.say(...facts),
    lead: async () => {
      election.lead();
      await settle();
    },
    lose: async () => {
      election.expire();
      election.lose();
      await settle();
    },
    see: (view) => election.see(view),
    expire: () => election.expire(),
    [Symbol.asyncDispose]: () => cycle[Symbol.asyncDispose](),
  };
}

/** A store over the medium, with how many commits it was asked for. */
function countedStore(options: LeadStageOptions): {
  readonly store: Store;
  readonly commits: () => number;
} {
  const { medium, opening = () => undefined, answering = () => Promise.resolve() } = options;
  const memory = createMemoryStore({ medium });
  let commits = 0;
  const store: Store = {
    ...memory,
    open: async () => {
      await opening();
      return await memory.open();
    },
    commit: async (...args) => {
      commits += 1;
      await answering();
      return await memory.commit(...args);
    },
  };
  return { store, commits: () => commits };
}
