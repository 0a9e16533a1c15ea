// The controller's loop, and the only place of it that holds state: facts in, plan, store, deliver,
// publish. It wakes for facts, and for the earliest moment at which time alone changes a plan.
// Nothing is planned before the store is loaded, every source has listed whole, and agents that
// connect at the start had a moment to do so; nothing is delivered before it is durable.

import {
  type Finding,
  type Plan,
  type PlanSettings,
  type Resource,
  type Revision,
  type World,
  compareText,
  present,
} from "@fairlead/model";
import { type MayStillGet, type PlanOptions, createPlanMemory, plan } from "@fairlead/planner";
import { type Clock, type Logger, type Pace, type Timer, createPace } from "@fairlead/runtime";

import { type ClusterState, createClusterState, foldFacts } from "./cluster-state.ts";
import type { CycleView } from "./cycle-view.ts";
import type { Fact } from "./facts.ts";
import { type FrozenClaims, NO_CLAIMS, freezeClaims } from "./freeze-claims.ts";
import { narrate, NOTHING_SAID, type Said } from "./narrate.ts";
import { nextWakeMs } from "./next-wake.ts";
import type { PlanDelivery, Publisher, Source, Store, StoreChange, StoredState } from "./ports.ts";
import { type Publishing, createPublishing } from "./publishing.ts";
import { diffStored, newOwners } from "./store-changes.ts";
import { type StoreWriter, createStoreWriter, storeFindings } from "./store-writer.ts";
import { NO_VERDICTS, type TimedVerdicts, trackVerdicts } from "./verdict-times.ts";

/** Facts that come close together make one cycle: this long a quiet, in ms. */
const QUIET_MS = 2;
/** A stream of facts delays a cycle by this at the most, in ms. */
const WAIT_MAX_MS = 50;
/** How long the first plan waits after an agent's hello for others to follow, in ms. */
const AGENTS_SETTLE_MS = 500;
/** How long the first plan waits for agents at all, in ms. */
const AGENTS_WAIT_MAX_MS = 2000;
/** A store that failed is tried again after this long, in ms. */
const STORE_RETRY_MS = 1000;

/** What the loop is made of. */
export interface CycleOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly settings: PlanSettings;
  readonly store: Store;
  readonly sources: readonly Source[];
  readonly delivery: PlanDelivery;
  readonly publishers: readonly Publisher[];
  readonly revisionOf: (resource: Resource) => Revision;
  /** Told how long each cycle's planning took, in ms. */
  readonly onCycle?: (tookMs: number) => void;
  /** What `view` shows may differ now: after a cycle, and with what is found before the first. */
  readonly onSaid?: () => void;
  /** Another controller took a later epoch: this one must end. */
  readonly onFenced: (epoch: number) => void;
}

/** The running loop. */
export interface Cycle extends AsyncDisposable {
  /** Opens the store and the sources. Rejects with the first EdgeError of either. */
  start(): Promise<void>;
  /** Takes facts in. */
  emit(facts: readonly Fact[]): void;
  view(): CycleView;
  /** Resolves when everything emitted so far went round. */
  settled(): Promise<void>;
}

/** Makes the loop; nothing happens before `start`. */
export function createCycle(options: CycleOptions): Cycle {
  return new Loop(options);
}

class Loop implements Cycle {
  readonly #options: CycleOptions;
  readonly #planOptions: PlanOptions;
  readonly #planning: Pace;
  readonly #publishing: Publishing;
  #state: ClusterState = createClusterState([]);
  #writer: StoreWriter | undefined;
  #intents: StoredState["intents"] = [];
  #rows: Pick<Plan, "leases" | "lanes"> = { leases: new Map(), lanes: new Map() };
  #plan: Plan | undefined;
  /** Claims of the world that the plan was made for. */
  #planned: World["claims"] = new Map();
  #timed: TimedVerdicts = NO_VERDICTS;
  #frozen: FrozenClaims = NO_CLAIMS;
  #said: Said = NOTHING_SAID;
  #cycles = 0;
  #openedAtMs: number | undefined;
  #lastHelloMs: number | undefined;
  #wake: Timer | undefined;

  constructor(options: CycleOptions) {
    this.#options = options;
    const { clock, delivery, log, revisionOf } = options;
    const mayStillGet: MayStillGet = (...at) => delivery.mayStillGet?.(...at) ?? false;
    this.#planOptions = { revisionOf, mayStillGet, memory: createPlanMemory() };
    this.#planning = createPace({
      clock,
      quietMs: QUIET_MS,
      maxWaitMs: WAIT_MAX_MS,
      run: () => this.#turn(),
      // A plan that cannot be made is a bug: the process ends, and its supervisor restarts it.
      onError: (error) => queueMicrotask(() => throwIt(error)),
    });
    this.#publishing = createPublishing({ clock, log, publishers: options.publishers });
  }

  async start(): Promise<void> {
    const { clock, log, onFenced, store, sources } = this.#options;
    const stored = await store.open();
    this.#writer = createStoreWriter({ store, epoch: stored.epoch, log, onFenced });
    this.#intents = stored.intents;
    this.#rows = {
      leases: new Map(stored.leases.map((lease) => [lease.address, lease])),
      lanes: new Map(stored.lanes.map((lane) => [lane.id, lane])),
    };
    const owners = stored.leases.flatMap((lease) => lease.owners.map((owner) => owner.claim));
    this.#state = createClusterState(owners);
    await Promise.all(sources.map((source) => source.start((facts) => this.emit(facts))));
    this.#openedAtMs = clock.nowMs();
    this.#planning.poke();
  }

  emit(facts: readonly Fact[]): void {
    const { clock } = this.#options;
    const sources = this.#options.sources.map((source) => source.name);
    const times = { nowMs: clock.wallMs(), steadyMs: clock.nowMs() };
    const folded = foldFacts(this.#state, facts, { sources, ...times });
    this.#state = folded.state;
    if (facts.some((fact) => fact.kind === "agent-hello")) this.#lastHelloMs = clock.nowMs();
    if (folded.changed) this.#planning.poke();
    // What keeps the first plan from being made, such as a missing folder, is said before it.
    if (this.#plan === undefined) this.#narrate();
  }

  view(): CycleView {
    const notReady = this.#notReady();
    return {
      epoch: this.#writer?.epoch ?? 0,
      cycles: this.#cycles,
      state: this.#state,
      judged: this.#planned,
      times: this.#timed.times,
      findings: this.#findings(),
      ...(this.#plan === undefined ? {} : { plan: this.#plan }),
      ...(notReady === undefined ? {} : { notReady }),
    };
  }

  async settled(): Promise<void> {
    await this.#planning.done();
    await this.#publishing.done();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#wake?.cancel();
    await this.#planning[Symbol.asyncDispose]();
    // The turn under way has set it anew.
    this.#wake?.cancel();
    await this.#publishing[Symbol.asyncDispose]();
  }

  /** One cycle: plan, make durable, deliver, publish. */
  async #turn(): Promise<void> {
    const holdMs = this.#holdOffMs();
    if (this.#writer?.isFenced === true || holdMs === undefined) return;
    if (holdMs > 0) return this.#wakeIn(holdMs);
    const { clock } = this.#options;
    const writer = present(this.#writer, "the loop opens after the store");
    const obeyed = writer.obeyedAbove(this.#state.agents.values());
    const ranked = obeyed === undefined ? "durable" : await writer.outrank(obeyed);
    if (ranked === "fenced") return;
    const begunMs = clock.nowMs();
    const world = this.#freeze();
    const next = plan(world, this.#planOptions);
    this.#options.onCycle?.(clock.nowMs() - begunMs);
    const changes = diffStored(this.#rows, next);
    const written = await writer.write(changes);
    if (written === "fenced") return;
    if (written === "durable") this.#adopt(writer.epoch, world, next);
    else this.#goOn(writer.epoch, world, changes);
    if (ranked === "failed") this.#wakeIn(STORE_RETRY_MS);
  }

  /** While the store cannot be written, what needs no new row goes on: members change. */
  #goOn(epoch: number, world: World, unwritten: readonly StoreChange[]): void {
    const heldBack = newOwners(this.#rows, unwritten);
    const claims = new Map([...world.claims].filter(([id]) => !heldBack.has(id)));
    const part = plan({ ...world, claims }, this.#planOptions);
    if (diffStored(this.#rows, part).length === 0) {
      this.#adopt(epoch, { ...world, claims }, part);
    } else this.#say();
    this.#wakeIn(STORE_RETRY_MS);
  }

  /** The plan is durable: it is sent and said. */
  #adopt(epoch: number, world: World, next: Plan): void {
    this.#rows = { leases: next.leases, lanes: next.lanes };
    this.#plan = next;
    this.#planned = world.claims;
    this.#cycles += 1;
    this.#timed = trackVerdicts(this.#timed, next.verdicts, world.nowMs);
    this.#options.delivery.deliver({ epoch, plans: next.nodePlans, leases: next.leases });
    this.#say();
    const dueMs = nextWakeMs(world, next);
    // What the plan before waited for may have come without it.
    this.#wake?.cancel();
    if (dueMs !== undefined) this.#wakeIn(dueMs);
  }

  /** Milliseconds until the first plan may be made, 0 when it may; undefined while opening. */
  #holdOffMs(): number | undefined {
    if (this.#openedAtMs === undefined) return undefined;
    if (this.#plan !== undefined) return 0;
    const helloMs = this.#lastHelloMs ?? Number.POSITIVE_INFINITY;
    const dueMs = Math.min(helloMs + AGENTS_SETTLE_MS, this.#openedAtMs + AGENTS_WAIT_MAX_MS);
    return Math.max(0, dueMs - this.#options.clock.nowMs());
  }

  #wakeIn(delayMs: number): void {
    this.#wake?.cancel();
    this.#wake = this.#options.clock.setTimer(delayMs, () => void this.#planning.poke());
  }

  #freeze(): World {
    const { claims, orphans, pools, agents } = this.#state;
    this.#frozen = freezeClaims(this.#frozen, claims);
    return {
      nowMs: this.#options.clock.wallMs(),
      settings: this.#options.settings,
      claims: this.#frozen.claims,
      absent: new Set(orphans.keys()),
      pools: Array.from(pools.values(), (seen) => seen.value),
      agents,
      leases: this.#rows.leases,
      lanes: this.#rows.lanes,
      intents: this.#intents,
    };
  }

  /** Says what came out, to publishers and, where it changed, in the log. */
  #say(): void {
    const said = this.#narrate();
    if (this.#plan === undefined) return;
    const { leases } = this.#rows;
    const { agents } = this.#state;
    this.#publishing.say({ claims: this.#planned, leases, agents, ...said });
  }

  /** Says in the log what changed since it was said last. */
  #narrate(): Said {
    const { log } = this.#options;
    const verdicts = this.#plan?.verdicts ?? NOTHING_SAID.verdicts;
    const said: Said = { verdicts, findings: this.#findings() };
    for (const { level, fields, message } of narrate(this.#said, said)) log[level](fields, message);
    this.#said = said;
    this.#options.onSaid?.();
    return said;
  }

  #findings(): readonly Finding[] {
    const store = storeFindings(this.#writer?.trouble);
    const all = [...this.#state.findings.values(), ...(this.#plan?.findings ?? []), ...store];
    return all.sort((a, b) => compareText(`${a.subject}\n${a.name}`, `${b.subject}\n${b.name}`));
  }

  #notReady(): string | undefined {
    if (this.#writer === undefined) return "the store is not open";
    if (this.#openedAtMs === undefined) return "sources are being listed";
    const { isFenced, trouble } = this.#writer;
    if (isFenced) return "another controller took over";
    if (trouble !== undefined) return `the store is not written: ${trouble}`;
    return this.#plan === undefined ? "waiting for agents before the first plan" : undefined;
  }
}

function throwIt(error: unknown): never {
  throw error;
}
