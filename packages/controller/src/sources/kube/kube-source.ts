// A cluster as a source: its Services with their EndpointSlices, or with its Nodes, and its pools.
// Each kind is followed by itself; what changes is derived Service by Service and emitted as facts.
// It never writes, and a cluster that cannot be reached leaves everything in force as it is.

import { setImmediate } from "node:timers/promises";

import type { ClaimId } from "@fairlead/model";
import { type Clock, createPace, type Pace, type Timer } from "@fairlead/runtime";

import { crash } from "../../crash.ts";
import type { Fact } from "../../facts.ts";
import type { KubeClient } from "../../kube/kube-client.ts";
import type { PoolRecords } from "../../kube/pool-record.ts";
import type { ServiceBook } from "../../kube/service-record.ts";
import type { Source } from "../../ports.ts";
import type { ServiceBackends } from "../service-backends.ts";
import type { TranslateSettings } from "../translate-service.ts";
import { barredAddresses } from "./barred.ts";
import { claimIdOf, ClaimTable } from "./claim-table.ts";
import { createEmptied, type Emptied } from "./emptied.ts";
import { type FollowedKinds, followKinds, type KindCounts } from "./followed-kinds.ts";
import { createMemberWait, type MemberWait } from "./member-wait.ts";
import { createServerEndpoints, type LookUp, type ServerEndpoints } from "./server-endpoints.ts";

/** Changes that come close together make one emission: this long a quiet, in ms. */
const QUIET_MS = 1;
/** A stream of changes delays an emission by this at the most, in ms. */
const WAIT_MAX_MS = 20;
/** Services that are derived before others may have the loop: a few ms. */
const DERIVED_AT_ONCE = 25;

/** How a cluster is read. */
export interface KubeSourceOptions {
  readonly client: KubeClient;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly settings: TranslateSettings;
  /** For a server that has a name: no member may be one of its addresses. */
  readonly lookUp: LookUp;
  /** The cluster's name for people: the kubeconfig's context. */
  readonly cluster: string;
  /** Unique among the sources. Default: `kubernetes`. */
  readonly name?: string;
  /** Names are compared with what watches showed this often, in ms. Default: ten minutes. */
  readonly lookMs?: number;
}

/** A cluster as a source, and what its publisher needs of it. */
export interface KubeSource extends Source {
  readonly book: ServiceBook;
  readonly pools: PoolRecords;
  /** For claims of other sources that name a Service. */
  readonly backends: ServiceBackends;
  /** For metrics, by kind. */
  counts(): ReadonlyMap<string, KindCounts>;
}

/** Makes the source; nothing is asked before `start`. */
export function createKubeSource(options: KubeSourceOptions): KubeSource {
  return new ClusterSource(options);
}

class ClusterSource implements KubeSource {
  readonly name: string;
  readonly #clock: Clock;
  readonly #table: ClaimTable;
  readonly #kinds: FollowedKinds;
  readonly #pace: Pace;
  readonly #listed = Promise.withResolvers<void>();
  readonly #emptied: Emptied;
  readonly #memberWait: MemberWait;
  readonly #server: ServerEndpoints;
  /** Who is told that some Service may have another backend. */
  readonly #listeners: (() => void)[] = [];
  #emit: ((facts: readonly Fact[]) => void) | undefined;
  #waiting: Fact[] = [];
  #apiServers = "";
  /** Whether nodes or API servers may have other addresses than was said. */
  #isBarredStale = false;
  #isListPending = false;
  #isListed = false;
  #graceTimer: Timer | undefined;

  constructor(options: KubeSourceOptions) {
    const { client, clock, settings } = options;
    this.name = options.name ?? "kubernetes";
    this.#clock = clock;
    this.#table = new ClaimTable(this.name, settings);
    this.#emptied = createEmptied(this.name);
    this.#memberWait = createMemberWait(clock, () => void this.#pace.poke());
    const onChange = (): void => void this.#pace.poke();
    this.#server = createServerEndpoints({ ...options, server: client.server, onChange });
    this.#pace = createPace({
      clock,
      quietMs: QUIET_MS,
      maxWaitMs: WAIT_MAX_MS,
      run: () => this.#say(),
      // A bug of ours: the process ends, and its supervisor restarts it.
      onError: crash,
    });
    this.#kinds = followKinds({
      ...options,
      source: this.name,
      members: settings.members,
      followsNodes: settings.writesExternalIPs === true,
      onService: (key, reading) => this.#table.setService(key, reading),
      onSlice: (key, object) => this.#table.setSlice(key, object),
      onNodes: () => {
        this.#isBarredStale = true;
        if (settings.members === "nodes") this.#judgeNodes();
      },
      onServicesListed: () => {
        this.#isListPending = true;
        // After whatever may have led to another server, and else every ten minutes.
        this.#server.look();
      },
      onFact: (fact) => this.#waiting.push(fact),
      onNews: () => void this.#pace.poke(),
    });
  }

  get book(): ServiceBook {
    return this.#kinds.book;
  }

  get pools(): PoolRecords {
    return this.#kinds.pools.records;
  }

  get backends(): ServiceBackends {
    return {
      find: (key) => this.#table.backend(key),
      onChange: (listener) => void this.#listeners.push(listener),
    };
  }

  counts(): ReadonlyMap<string, KindCounts> {
    return this.#kinds.counts();
  }

  start(emit: (facts: readonly Fact[]) => void): Promise<void> {
    this.#emit = emit;
    this.#server.look();
    this.#kinds.start();
    return this.#listed.promise;
  }

  sayStatuses(claims: ReadonlySet<ClaimId>): Promise<void> {
    this.#hand(this.#table.statusFacts(claims));
    return Promise.resolve();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#graceTimer?.cancel();
    this.#memberWait[Symbol.dispose]();
    await this.#kinds[Symbol.asyncDispose]();
    await this.#pace[Symbol.asyncDispose]();
    this.#graceTimer?.cancel();
    // Without effect once it was listed; it must not count as unhandled where nobody waits.
    this.#listed.promise.catch(() => undefined);
    this.#listed.reject(new Error(`the source ${this.name} was stopped`));
  }

  /** Emits what differs from what was said: first the facts, then that the list was whole. */
  async #say(): Promise<void> {
    this.#hand([...this.#waiting.splice(0), ...this.#kinds.pools.takeFacts()]);
    // A Service without its members would be said to have none.
    if (!this.#kinds.isSynced()) return;
    this.#judgeApiServers();
    this.#sayBarred();
    const told = [...this.#table.dirty].filter((key) => !this.#isHeldBack(key));
    for (let from = 0; from < told.length; from += DERIVED_AT_ONCE) {
      if (from > 0) await setImmediate();
      const some = told.slice(from, from + DERIVED_AT_ONCE);
      this.#hand(some.flatMap((key) => this.#table.facts(key)));
    }
    if (told.length > 0) for (const listener of this.#listeners) listener();
    if (!this.#isListPending) return;
    this.#isListPending = false;
    const listed = this.#listedFacts();
    // Each of the two takes some ms of ten thousand Services; what comes between is said later.
    await setImmediate();
    this.#hand(listed);
    this.#isListed = true;
    this.#listed.resolve();
  }

  #listedFacts(): readonly Fact[] {
    const claims = this.#present();
    return [
      ...this.#emptied.judge(claims.size, this.#kinds.services.size),
      {
        kind: "source-listed",
        source: this.name,
        atMs: this.#clock.wallMs(),
        claims,
        pools: this.#kinds.pools.names(),
      },
    ];
  }

  #isHeldBack(key: string): boolean {
    // At the start everything was listed: what has no slice then gets none.
    if (this.#isListed && this.#table.lacksSlices(key)) return this.#memberWait.holds(key);
    this.#memberWait.forget(key);
    return false;
  }

  /** Claims that Services of the last list would have, whether they ask for anything or not. */
  #present(): ReadonlySet<ClaimId> {
    const present = new Set<ClaimId>();
    for (const { key, absentSinceMs } of this.#kinds.services.values()) {
      const id = absentSinceMs === undefined ? claimIdOf(key) : undefined;
      if (id !== undefined) present.add(id);
    }
    return present;
  }

  #judgeNodes(): void {
    const { nodes, dueMs } = this.#kinds.judgeNodes();
    this.#table.setNodes(nodes);
    this.#graceTimer?.cancel();
    if (dueMs === undefined) return;
    this.#graceTimer = this.#clock.setTimer(dueMs - this.#clock.nowMs(), () => {
      this.#judgeNodes();
      this.#pace.poke();
    });
  }

  #judgeApiServers(): void {
    const endpoints = new Set([...this.#table.apiEndpoints(), ...this.#server.known()]);
    const text = [...endpoints].toSorted().join();
    if (text === this.#apiServers) return;
    this.#apiServers = text;
    this.#isBarredStale = true;
    this.#table.setApiServers(endpoints);
  }

  /** Before claims are: none of them may get such an address. */
  #sayBarred(): void {
    if (!this.#isBarredStale) return;
    this.#isBarredStale = false;
    const barred = barredAddresses(this.#kinds.nodes(), this.#apiServers.split(","));
    this.#hand([{ kind: "addresses-barred", source: this.name, barred }]);
  }

  #hand(facts: readonly Fact[]): void {
    if (facts.length > 0) this.#emit?.(facts);
  }
}
