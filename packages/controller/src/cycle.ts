// The controller's loop, and the only place of it that holds state: facts in, plan, store, deliver,
// publish. It wakes for facts, and for the earliest moment at which time alone changes a plan.
// Nothing is planned before this controller leads, the store is loaded, every source has listed
// whole, and agents had a moment to connect; nothing is delivered before it is durable. While it
// stands by it takes facts in and says nothing.

import type { AgentName, Finding, Plan, World } from "@fairlead/model";
import { type Pace, createPace } from "@fairlead/runtime";

import type { Act, ActResult } from "./acts/act.ts";
import { createActQueue } from "./acts/act-queue.ts";
import { type AskRivals, createAskRivals } from "./ask-rivals.ts";
import { type ClusterState, createClusterState, foldFacts, withStored } from "./cluster-state.ts";
import { crash } from "./crash.ts";
import type { Cycle, CycleOptions } from "./cycle-options.ts";
import type { CycleView } from "./cycle-view.ts";
import type { Fact } from "./facts.ts";
import { firstPlanWaitMs, firstWorldOf, isStoreBehind, namedAgents } from "./first-plan.ts";
import { type FrozenClaims, NO_CLAIMS, freezeClaims, worldOf } from "./freeze-claims.ts";
import { createLead, type Lead } from "./lead.ts";
import { type MoveBook, NO_MOVES, trackMoves } from "./move-book.ts";
import { NOTHING_SAID, type Said, sortFindings } from "./narrate.ts";
import { createNarrator, type Narrator } from "./narrator.ts";
import { createNextWake } from "./next-wake.ts";
import { notReadyText } from "./not-ready.ts";
import { createPlanInTurns, type PlanInTurns } from "./plan-in-turns.ts";
import type { StoreChange, StoredState } from "./ports.ts";
import { type Publishing, createPublishing } from "./publishing.ts";
import { sayStatuses } from "./say-statuses.ts";
import { diffStored, withRegistrations, withoutNewOwners } from "./store-changes.ts";
import { type StoreWriter, createStoreWriter, storeFindings } from "./store-writer.ts";
import { NO_ROWS, type StoredRows, openedRows, storedRows } from "./stored-rows.ts";
import { NO_VERDICTS, type TimedVerdicts, trackVerdicts } from "./verdict-times.ts";

/** Facts that come close together make one cycle: this long a quiet, in ms. */
const QUIET_MS = 2;
/** A stream of facts delays a cycle by this at the most, in ms. */
const WAIT_MAX_MS = 50;
/** A store that failed is tried again after this long, in ms. */
const STORE_RETRY_MS = 1000;

export type { Cycle, CycleOptions };

/** Makes the loop; nothing happens before `start`. */
export function createCycle(options: CycleOptions): Cycle {
  return new Loop(options);
}

class Loop implements Cycle {
  readonly #options: CycleOptions;
  readonly #planning: Pace;
  readonly #publishing: Publishing;
  readonly #lead: Lead;
  readonly #acts = createActQueue();
  readonly #narrator: Narrator;
  #planInTurns: PlanInTurns;
  #state: ClusterState = createClusterState([]);
  #writer: StoreWriter | undefined;
  #rows: StoredRows = NO_ROWS;
  #plan: Plan | undefined;
  /** Claims of the world that the plan was made for. */
  #planned: World["claims"] = new Map();
  #timed: TimedVerdicts = NO_VERDICTS;
  #moves: MoveBook = NO_MOVES;
  #frozen: FrozenClaims = NO_CLAIMS;
  #cycles = 0;
  #areListed = false;
  /** Agents that the store named when it was opened. */
  #named: ReadonlySet<AgentName> = new Set();
  #openedAtMs: number | undefined;
  #lastHelloMs: number | undefined;
  readonly #nextWakeMs = createNextWake();
  #askRivals: AskRivals;

  constructor(options: CycleOptions) {
    this.#options = options;
    const { clock, log } = options;
    this.#planInTurns = createPlanInTurns(options);
    this.#askRivals = this.#asking();
    this.#narrator = createNarrator(log);
    this.#planning = createPace({
      clock,
      quietMs: QUIET_MS,
      maxWaitMs: WAIT_MAX_MS,
      run: () => this.#turn(),
      onError: crash,
    });
    this.#publishing = createPublishing({ clock, log, publishers: options.publishers });
    this.#lead = createLead({
      ...options,
      onOpened: (stored) => this.#begin(stored),
      onLost: () => this.#standBy(),
      onOwner: (whose) => options.delivery.setLead?.(whose),
      onChange: () => options.onSaid?.(),
    });
  }

  async start(): Promise<void> {
    await this.#lead.start();
    // What an earlier life published is old by now.
    if (this.#writer === undefined) this.#publishing.pause();
    await Promise.all(this.#options.sources.map((one) => one.start((facts) => this.emit(facts))));
    this.#areListed = true;
    this.#opened();
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

  /** The lead is won: what is stored is what there is. */
  #begin(stored: StoredState): void {
    const { store, log, sources } = this.#options;
    const onFenced = (later: number): void => {
      // A write of a lead that is over meets the next one, be it our own: that is no news.
      if (this.#writer?.isFenced !== true) return;
      this.#publishing.pause();
      this.#lead.overtake(later);
    };
    const writer = createStoreWriter({ store, epoch: stored.epoch, log, onFenced });
    this.#writer = writer;
    [this.#rows, this.#named] = [openedRows(stored), namedAgents(stored)];
    this.#planInTurns = createPlanInTurns(this.#options);
    this.#askRivals = this.#asking();
    this.#state = withStored(this.#state, stored, this.#options.clock.wallMs());
    sayStatuses(sources, this.#state.claims, stored).then(() => this.#opened(writer), crash);
  }

  #opened(writer = this.#writer): void {
    if (writer === undefined || writer !== this.#writer || !this.#areListed) return;
    this.#openedAtMs = this.#options.clock.nowMs();
    this.#planning.poke();
  }

  /** The lead is lost: all that only a leader knows is forgotten, and nothing is said any more. */
  #standBy(): void {
    this.#planning.pokeIn(undefined);
    this.#acts.close("it leads no more");
    this.#writer = undefined;
    [this.#openedAtMs, this.#lastHelloMs] = [undefined, undefined];
    [this.#plan, this.#planned] = [undefined, new Map()];
    [this.#rows, this.#timed, this.#moves] = [NO_ROWS, NO_VERDICTS, NO_MOVES];
    this.#publishing.pause();
    this.#state = { ...this.#state, agents: new Map(), orphans: new Map() };
    this.#narrator.tellStandby({ ...NOTHING_SAID, findings: this.#findings() });
    this.#options.onSaid?.();
  }

  /** For one term of the lead. */
  #asking(): AskRivals {
    return createAskRivals((agent, wish) => this.#options.delivery.ask?.(agent, wish) === true);
  }

  view(): CycleView {
    const [lead, hasPlan] = [this.#lead.view(), this.#plan !== undefined];
    const [writer, areListed] = [this.#writer, this.#areListed];
    const notReady = notReadyText({ lead, writer, areListed, hasPlan });
    return {
      epoch: this.#writer?.epoch ?? 0,
      cycles: this.#cycles,
      state: this.#state,
      judged: this.#planned,
      times: this.#timed.times,
      moves: this.#moves.moves,
      findings: this.#findings(),
      lead,
      ...(this.#plan === undefined ? {} : { plan: this.#plan }),
      ...(notReady === undefined ? {} : { notReady }),
    };
  }

  act(act: Act): Promise<ActResult> {
    this.#planning.poke();
    return this.#acts.ask(act, this.view());
  }

  async settled(): Promise<void> {
    await this.#planning.done();
    await this.#publishing.done();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#lead[Symbol.dispose]();
    await this.#planning[Symbol.asyncDispose]();
    this.#acts.close("it ends");
    await this.#publishing[Symbol.asyncDispose]();
    this.#narrator[Symbol.dispose]();
  }

  /** One cycle: plan, make durable, deliver, publish. */
  async #turn(): Promise<void> {
    const writer = this.#writer;
    const holdMs = this.#holdOffMs();
    if (writer === undefined || writer.isFenced || holdMs === undefined) return;
    if (!this.#mayGoOn(writer)) return;
    if (holdMs > 0) return this.#planning.pokeIn(holdMs);
    const { clock } = this.#options;
    const obeyed = writer.obeyedAbove(this.#state.agents.values());
    const ranked = obeyed === undefined ? "durable" : await writer.outrank(obeyed);
    if (ranked === "fenced" || !this.#mayGoOn(writer)) return;
    const begunMs = clock.nowMs();
    const acts = this.#acts.begin(this.#freeze());
    const next = await this.#planInTurns(acts.world);
    this.#options.onCycle?.(clock.nowMs() - begunMs);
    const changes = diffStored(this.#rows, storedRows(next));
    // Planning takes its time, and so does whatever else may have held this process up.
    if (!this.#mayGoOn(writer)) return void acts.end("failed", "it leads no more");
    const written = await writer.write(changes);
    const news = acts.end(written, writer.trouble);
    if (written === "fenced" || !this.#mayGoOn(writer)) return;
    if (written === "durable") this.#adopt(writer.epoch, acts.world, next);
    else await this.#goOn(writer, changes);
    if (news.length > 0) this.emit(news);
    if (ranked === "failed") this.#planning.pokeIn(STORE_RETRY_MS);
  }

  /** Whether it still leads, and under the epoch of this writer. */
  #mayGoOn(writer: StoreWriter): boolean {
    return this.#writer === writer && this.#lead.isHeld();
  }

  /**
   * While the store cannot be written, what needs no new row goes on: members change. Before the
   * first plan nothing does: what agents have and the store has lost would leave them.
   */
  async #goOn(writer: StoreWriter, unwritten: readonly StoreChange[]): Promise<void> {
    const rest = withoutNewOwners(this.#freeze(), this.#rows, unwritten);
    const part = withRegistrations(await this.#planInTurns(rest), this.#rows);
    if (!this.#mayGoOn(writer)) return;
    const isStored = diffStored(this.#rows, storedRows(part)).length === 0;
    if (isStored && this.#plan !== undefined) this.#adopt(writer.epoch, rest, part);
    else this.#say();
    this.#planning.pokeIn(STORE_RETRY_MS);
  }

  /** The plan is durable: it is sent and said. */
  #adopt(epoch: number, world: World, next: Plan): void {
    this.#moves = trackMoves(this.#moves, { before: this.#plan, now: next, world });
    this.#options.onMoved?.(this.#moves.latest);
    this.#narrator.tellMoves(this.#moves.latest);
    this.#rows = storedRows(next);
    [this.#plan, this.#planned] = [next, world.claims];
    this.#cycles += 1;
    this.#timed = trackVerdicts(this.#timed, next.verdicts, world.nowMs);
    this.#options.delivery.deliver({ epoch, plans: next.nodePlans, leases: next.leases });
    this.#say();
    const wakes = [this.#nextWakeMs(world, next, this.#moves.open), this.#askRivals(world, next)];
    // What the plan before waited for may have come without it.
    this.#planning.pokeIn(Math.min(...wakes.filter((wakeMs) => wakeMs !== undefined)));
  }

  /** Milliseconds until the first plan may be made, 0 when it may; undefined while opening. */
  #holdOffMs(): number | undefined {
    const openedMs = this.#openedAtMs;
    if (openedMs === undefined) return undefined;
    if (this.#plan !== undefined) return 0;
    const [nowMs, helloMs] = [this.#options.clock.nowMs(), this.#lastHelloMs];
    const { agents } = this.#state;
    const obeyed = this.#writer?.obeyedAbove(agents.values());
    const isStoreOlder = obeyed !== undefined || isStoreBehind(this.#rows, this.#state);
    return firstPlanWaitMs({ nowMs, openedMs, helloMs, named: this.#named, agents, isStoreOlder });
  }

  #freeze(): World {
    const { settings, clock } = this.#options;
    this.#frozen = freezeClaims(this.#frozen, this.#state.claims);
    const rest = { nowMs: clock.wallMs(), settings, claims: this.#frozen.claims, ...this.#rows };
    return (this.#plan === undefined ? firstWorldOf : worldOf)(this.#state, rest);
  }

  /** Says what came out, to publishers and, where it changed, in the log. */
  #say(): void {
    const said = this.#narrate();
    if (this.#plan === undefined) return;
    const [{ leases, intents }, { agents }, { moves }] = [this.#rows, this.#state, this.#moves];
    this.#publishing.say({ claims: this.#planned, leases, intents, agents, moves, ...said });
  }

  /** Says in the log what changed since it was said last. */
  #narrate(): Said {
    const verdicts = this.#plan?.verdicts ?? NOTHING_SAID.verdicts;
    const said: Said = { verdicts, findings: this.#findings() };
    this.#narrator.tell(said);
    this.#options.onSaid?.();
    return said;
  }

  #findings(): readonly Finding[] {
    const store = storeFindings(this.#writer?.trouble);
    return sortFindings(this.#state.findings.values(), this.#plan?.findings ?? [], store);
  }
}
