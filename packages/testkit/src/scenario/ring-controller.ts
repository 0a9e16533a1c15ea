// The controller of a ring: the real loop, streams, pools and folder source as a process that can
// be killed, over a store in memory that outlives it. Given the stage's clock, folder and network.

import {
  type Act,
  type AdminContext,
  type Cycle,
  type Publication,
  type Store,
  type SyncServer,
  createCycle,
  createFolderSource,
  createPoolSource,
  createSoleElection,
  createSyncServer,
  readConfiguredPools,
  statusTexts,
} from "@fairlead/controller";
import { assert } from "@fairlead/model";
import { type Clock, type Logger, VERSION } from "@fairlead/runtime";
import { createRevisions } from "@fairlead/wire";

import { type MemoryMedium, createMemoryStore } from "../fakes/memory-store.ts";
import type { Faults } from "./faults.ts";
import type { MemoryFolder } from "./memory-folder.ts";
import type { MemoryNetwork } from "./memory-network.ts";
import { createProcessClock, type ProcessClock } from "./process-clock.ts";
import { RESTART_MS } from "./ring-agent.ts";

/** How long a write of the store or of a status takes, in ms. */
const WRITE_MS = 5;

/** What the controller of a ring is made of. */
export interface RingControllerOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly faults: Faults;
  readonly folder: MemoryFolder;
  readonly network: MemoryNetwork;
  readonly medium: MemoryMedium;
  /** Texts of `--pool`. */
  readonly pools: readonly string[];
  readonly members: "endpoints" | "nodes";
  readonly defaultClass: boolean;
  readonly reservedRouterIds: readonly number[];
}

/** The controller of a ring. */
export interface RingController {
  /** Starts the process, and again whenever its start fails. */
  start(): void;
  /** kill -9; it stays dead until `start`. */
  kill(): void;
  /** Has the running process do what an operator asks for; what came of it stands in `acted`. */
  act(act: Act): void;
  /** What came of the last act, in lines; empty while nothing did. */
  readonly acted: readonly string[];
  /** Whether the store refuses every write, whatever the luck. */
  isStoreLost: boolean;
  /** What the running process knows; undefined while there is none. */
  context(): AdminContext | undefined;
  /** What was said last to the outside; it stands there also while no process runs. */
  readonly published: Publication | undefined;
}

interface Running {
  readonly clock: ProcessClock;
  readonly cycle: Cycle;
  readonly sync: SyncServer;
  readonly startedMs: number;
}

/** Makes a controller; nothing happens before `start`. */
export function createRingController(options: RingControllerOptions): RingController {
  return new Controller(options);
}

class Controller implements RingController {
  readonly #options: RingControllerOptions;
  #running: Running | undefined;
  isStoreLost = false;
  acted: readonly string[] = [];
  published: Publication | undefined;

  constructor(options: RingControllerOptions) {
    this.#options = options;
  }

  start(): void {
    if (this.#running !== undefined) return;
    const { log, folder, pools, members, defaultClass, network, reservedRouterIds } = this.#options;
    const clock = createProcessClock(this.#options.clock);
    const revisions = createRevisions();
    const sync = createSyncServer({
      clock,
      log,
      revisions,
      version: VERSION,
      emit: (facts) => cycle.emit(facts),
    });
    const configured = readConfiguredPools({ flags: pools, file: undefined });
    assert(configured.kind === "ok", `pools of a stage are good: ${JSON.stringify(configured)}`);
    const cycle: Cycle = createCycle({
      clock,
      log,
      settings: { advertIntervalMs: 100, reservedRouterIds, staleAfterMs: 60_000 },
      election: createSoleElection("controller"),
      store: this.#store(clock),
      sources: [
        createPoolSource({ pools: configured.pools, clock }),
        createFolderSource({
          folder: "manifests",
          disk: folder.disk,
          clock,
          settings: {
            defaultClass,
            classes: ["fairlead.io/agents"],
            members,
            nodeSelector: {},
            ownFieldManager: "fairlead",
            isShared: false,
          },
        }),
      ],
      delivery: sync,
      publishers: [
        {
          name: "recorder",
          publish: async (publication) => {
            await this.#options.faults.attempt(clock, "writing the status", WRITE_MS);
            this.published = publication;
            folder.statuses = statusTexts(publication);
          },
        },
      ],
      revisionOf: revisions.revisionOf,
      onFenced: () => this.kill(),
      onFailed: () => this.kill(),
    });
    const running = { clock, cycle, sync, startedMs: clock.nowMs() };
    this.#running = running;
    const begin = async (): Promise<void> => {
      await cycle.start();
      if (this.#running === running) network.serve(sync);
    };
    begin().catch(() => {
      if (this.#running !== running) return;
      this.kill();
      this.#options.clock.setTimer(RESTART_MS, () => this.start());
    });
  }

  kill(): void {
    this.#running?.clock.kill();
    this.#running = undefined;
    this.#options.network.stopServing();
  }

  act(act: Act): void {
    this.acted = [];
    const tell = async (): Promise<void> => {
      const result = await this.#running?.cycle.act(act);
      if (result?.kind === "done") this.acted = [...result.will, ...result.did];
      else if (result !== undefined) this.acted = [result.kind, ...result.why];
    };
    void tell();
  }

  context(): AdminContext | undefined {
    const running = this.#running;
    if (running === undefined) return undefined;
    const { clock } = this.#options;
    return {
      nowMs: clock.wallMs(),
      uptimeMs: clock.nowMs() - running.startedMs,
      version: VERSION,
      view: running.cycle.view(),
      syncState: (agent) => running.sync.syncState(agent),
    };
  }

  #store(clock: Clock): Store {
    const { medium, faults } = this.#options;
    const store = createMemoryStore({
      medium,
      failing: () => this.isStoreLost || faults.strikes(),
    });
    return {
      ...store,
      commit: async (epoch, changes) => {
        await clock.sleep(WRITE_MS);
        return await store.commit(epoch, changes);
      },
    };
  }
}
