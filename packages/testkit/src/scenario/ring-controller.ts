// The controller of a ring: the real loop, streams, pools and folder source as a process that can
// be killed, over a store in memory that outlives it. Given the stage's clock, folder and network.

import {
  type Act,
  type AdminContext,
  type Cycle,
  type Publication,
  type RegistrarOptions,
  type Store,
  type SyncServer,
  createCycle,
  createFolderSource,
  createPoolSource,
  createRegistrar,
  createSoleElection,
  createSyncServer,
  readConfiguredPools,
  statusTexts,
} from "@fairlead/controller";
import { assert } from "@fairlead/model";
import { type Clock, type Logger, VERSION } from "@fairlead/runtime";
import { createRevisions } from "@fairlead/wire";

import type { MemoryIpam } from "../fakes/memory-ipam.ts";
import { type MemoryMedium, createMemoryStore } from "../fakes/memory-store.ts";
import { type CrashPoint, createCrashingStore } from "./crashing-store.ts";
import type { Faults } from "./faults.ts";
import type { MemoryFolder } from "./memory-folder.ts";
import type { MemoryNetwork } from "./memory-network.ts";
import { createProcessClock, type ProcessClock } from "./process-clock.ts";
import { RESTART_MS } from "./ring-agent.ts";

/** How long a write of the store or of a status takes, in ms. */
const WRITE_MS = 5;

/** A leader that was taken over knows it after this long at the latest, in ms. */
const LEASE_MS = 15_000;

/** What the controller of a ring is made of. */
export interface RingControllerOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly faults: Faults;
  readonly folder: MemoryFolder;
  readonly network: MemoryNetwork;
  readonly medium: MemoryMedium;
  /** The IPAM that external pools take addresses from. */
  readonly ipam: MemoryIpam;
  /** Texts of `--pool`. */
  readonly pools: readonly string[];
  readonly members: "endpoints" | "nodes";
  readonly defaultClass: boolean;
  readonly reservedRouterIds: readonly number[];
  readonly sharesOwnAddress: boolean;
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
  /**
   * Starts another process that takes the epoch, as when a standby believes that the leader is
   * gone; the old one goes on until it notices.
   */
  takeOver(): void;
  /** The process stands still with all that it was about to do, as a stopped one or its machine. */
  hang(): void;
  /** Whatever hangs goes on where it was, also when another one leads by now. */
  goOn(): void;
  /** The next time that it comes there it is killed, and started anew by its supervisor. */
  crashAt: CrashPoint | undefined;
  /** How long a write of the store takes, in ms. */
  storeMs: number;
  /** Whether the store refuses every write, whatever the luck. */
  isStoreLost: boolean;
  /** What the running process knows; undefined while there is none. */
  context(): AdminContext | undefined;
  /** What was said last to the outside; it stands there also while no process runs. */
  readonly published: Publication | undefined;
  /** Told of each publication at the moment when it stands there. */
  onPublished: (publication: Publication) => void;
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
  /** Processes that were taken over and do not know it yet. */
  readonly #old = new Set<Running>();
  isStoreLost = false;
  crashAt: CrashPoint | undefined;
  storeMs = WRITE_MS;
  acted: readonly string[] = [];
  /** The latest freeze or thaw that was asked for. */
  #will: Act | undefined;
  published: Publication | undefined;
  onPublished: RingController["onPublished"] = () => undefined;

  constructor(options: RingControllerOptions) {
    this.#options = options;
  }

  start(): void {
    if (this.#running === undefined) this.#begin();
  }

  takeOver(): void {
    const old = this.#running;
    if (old !== undefined) {
      this.#old.add(old);
      if (!old.clock.isHanging) this.#endLater(old);
    }
    this.#begin();
  }

  /** One that has nothing to write is told by its lease. */
  #endLater(old: Running): void {
    this.#options.clock.setTimer(LEASE_MS, () => this.#end(old));
  }

  hang(): void {
    if (this.#running === undefined) return;
    this.#running.clock.hang();
    this.#options.network.unheard.hang(this.#running.sync);
  }

  goOn(): void {
    const running = this.#running === undefined ? [] : [this.#running];
    for (const one of [...this.#old, ...running]) {
      if (this.#old.has(one) && one.clock.isHanging) this.#endLater(one);
      one.clock.goOn();
      this.#options.network.unheard.goOn(one.sync);
    }
  }

  #begin(): void {
    const { log, folder, pools, network, reservedRouterIds, sharesOwnAddress } = this.#options;
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
      settings: {
        advertIntervalMs: 100,
        reservedRouterIds,
        staleAfterMs: 60_000,
        sharesOwnAddress,
        registrationSeed: `process ${clock.nowMs()}`,
      },
      election: createSoleElection("controller"),
      store: this.#store(clock, () => running),
      sources: [createPoolSource({ pools: configured.pools, clock }), this.#manifests(clock)],
      delivery: sync,
      publishers: [
        this.#registrar(clock, (facts) => cycle.emit(facts)),
        {
          name: "recorder",
          publish: async (publication) => {
            await this.#crashPoint("before a status", running);
            await this.#options.faults.attempt(clock, "writing the status", WRITE_MS);
            this.published = publication;
            this.onPublished(publication);
            folder.statuses = () => statusTexts(publication);
            await this.#crashPoint("after a status", running);
          },
        },
      ],
      revisionOf: revisions.revisionOf,
      onFenced: () => this.#end(running),
      onFailed: () => this.#end(running),
    });
    const running: Running = { clock, cycle, sync, startedMs: clock.nowMs() };
    this.#running = running;
    const begin = async (): Promise<void> => {
      await cycle.start();
      if (this.#running === running) network.serve(sync);
    };
    begin().catch(() => {
      this.#end(running);
      this.#options.clock.setTimer(RESTART_MS, () => this.start());
    });
  }

  #manifests(clock: Clock): ReturnType<typeof createFolderSource> {
    const { folder, members, defaultClass } = this.#options;
    return createFolderSource({
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
    });
  }

  #registrar(clock: Clock, emit: RegistrarOptions["emit"]): ReturnType<typeof createRegistrar> {
    const { faults, ipam } = this.#options;
    const client = ipam.client(() => faults.attempt(clock, "asking the IPAM", ipam.wayMs));
    return createRegistrar({ client, clock, random: () => faults.random(), emit });
  }

  kill(): void {
    for (const old of this.#old) this.#end(old);
    if (this.#running !== undefined) this.#end(this.#running);
  }

  #end(running: Running): void {
    if (running.clock.isKilled) return;
    running.clock.kill();
    this.#old.delete(running);
    // The connections of a process end with it, and only its own.
    this.#options.network.stopServing(running.sync);
    if (this.#running === running) this.#running = undefined;
  }

  /** Kills the process that comes here, if it is to die here; nothing goes on after it then. */
  async #crashPoint(point: CrashPoint, running: Running): Promise<void> {
    if (this.crashAt !== point) return;
    this.crashAt = undefined;
    this.#end(running);
    this.#options.clock.setTimer(RESTART_MS, () => this.start());
    await new Promise<never>(() => undefined);
  }

  act(act: Act): void {
    this.acted = [];
    const isWill = act.kind === "freeze" || act.kind === "thaw";
    if (isWill) this.#will = act;
    const tell = async (): Promise<void> => {
      const result = await this.#running?.cycle.act(act);
      // The store fails now and then; who asked asks again, unless it is to be otherwise by now.
      if (result?.kind === "failed") {
        if (isWill && this.#will !== act) return;
        this.#options.clock.setTimer(RESTART_MS, () => void tell());
        return;
      }
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

  #store(clock: Clock, running: () => Running): Store {
    const { medium, faults } = this.#options;
    const store = createMemoryStore({
      medium,
      failing: () => this.isStoreLost || faults.strikes(),
    });
    return createCrashingStore(store, {
      clock,
      writeMs: () => this.storeMs,
      crashPoint: (point) => this.#crashPoint(point, running()),
    });
  }
}
