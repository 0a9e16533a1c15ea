// The agent's loop, and the only place of it that holds state: it makes the host equal to the
// newest plan, and says what is proved. It wakes for a new plan, a change in the kernel, and a slow
// tick; passes never overlap, and while one runs only the newest plan waits.

import type { Revision } from "@fairlead/model";
import { type Pace, type Timer, createPace, describeError } from "@fairlead/runtime";

import { type Applied, NOTHING_APPLIED } from "./applied.ts";
import { applySteps } from "./apply.ts";
import type { ConvergeOptions } from "./converge-options.ts";
import { LOOK_QUIET_MS, LOOK_WAIT_MAX_MS, RELOAD_GAP_MS, RETRY_MS } from "./converge-times.ts";
import { blindReport } from "./blind-report.ts";
import type { ConvergeView, Look, Pass } from "./converge-view.ts";
import { type Doing, type Observation, observeAmid } from "./observe.ts";
import { type OutcomeInput, createReporter, isDataPlaneDown } from "./outcome.ts";
import { logChanges } from "./log-changes.ts";
import { type KeptPlan, createKeptPlan } from "./kept-plan.ts";
import { type MemberFeed, createMemberFeed } from "./member-feed.ts";
import { type LookWait, createLookWait } from "./look-wait.ts";
import { type Lookout, createLookout } from "./lookout.ts";
import { type NewLinks, createNewLinks } from "./new-links.ts";
import type { AcceptedPlan, LedgerEntry } from "./ports.ts";
import { type PassWait, createPassWait } from "./pass-wait.ts";
import { createPutBack, type PutBack } from "./put-back.ts";
import { isAnyDue } from "./refused-listeners.ts";
import { startRenewing } from "./renew-addresses.ts";
import { loadLedger } from "./load-ledger.ts";
import { listeningBefore } from "./listening-before.ts";
import { decideSteps } from "./steps.ts";

/** The running loop. */
export interface Converge extends AsyncDisposable {
  /** Loads the last good plan and the ledger, and makes the host equal to them. */
  start(): Promise<void>;
  /** A newer whole plan. `onFed` is told when members of before are changed in the kernel. */
  accept(plan: AcceptedPlan, onFed?: () => void): void;
  view(): ConvergeView;
  /** Resolves when a pass has ended that began after this call. */
  settled(): Promise<void>;
  /** Looks anew, and resolves when it has reported. Rejects where the loop ends before. */
  look(): Promise<void>;
}

/** Makes the loop; nothing happens before `start`. */
export function createConverge(options: ConvergeOptions): Converge {
  return new Loop(options);
}

class Loop implements Converge {
  readonly #options: ConvergeOptions;
  readonly #passes: Pace;
  readonly #looks: Pace;
  #wanted: AcceptedPlan | undefined;
  #applied: Applied = NOTHING_APPLIED;
  #appliedPlan: Revision | undefined;
  /** Of a pass that has not put into the ledger yet what it will touch. */
  #comingUp: AcceptedPlan | undefined;
  #ledger: readonly LedgerEntry[] = [];
  readonly #kept: KeptPlan;
  readonly #feed: MemberFeed;
  /** Why the last pass or look broke off; logged when it changes. */
  #trouble: string | undefined;
  #epoch = 0;
  #sequence = 0;
  #passCount = 0;
  /** Set as the first pass ends: before, what daemons of an earlier life run is not known. */
  #knowsItsHost = false;
  /** Counts when steps begin and when they end: odd while they run. */
  #phase = 0;
  #reloads = 0;
  #lastLook: Look | undefined;
  #lastPass: Pass | undefined;
  readonly #parts = new AsyncDisposableStack();
  #tick: Timer | undefined;
  readonly #lookWait: LookWait = createLookWait();
  readonly #wait: PassWait = createPassWait();
  readonly #newLinks: NewLinks = createNewLinks();
  readonly #putBack: PutBack;
  readonly #lookout: Lookout;
  readonly #reportOf = createReporter();
  /** Of `#newLinks`: those that keepalived knows of. */
  #linksRead = 0;

  constructor(options: ConvergeOptions) {
    this.#options = options;
    this.#putBack = createPutBack(options.clock);
    this.#kept = createKeptPlan(options.planFile);
    this.#feed = createMemberFeed(options.host.members, options.log);
    this.#lookout = createLookout({ ...options, ...options.host });
    this.#passes = createPace({
      clock: options.clock,
      quietMs: 0,
      maxWaitMs: 0,
      leading: true,
      run: () => this.#pass(),
      onError: (error) => {
        this.#fail(error);
        this.#passes.pokeIn(RETRY_MS);
      },
    });
    this.#looks = createPace({
      clock: options.clock,
      quietMs: LOOK_QUIET_MS,
      maxWaitMs: LOOK_WAIT_MAX_MS,
      run: () => this.#look(),
      // The next tick looks again.
      onError: (error) => this.#failBlindly(error),
    });
    this.#parts.use(this.#looks);
  }

  async start(): Promise<void> {
    const { host } = this.#options;
    this.#wanted = await this.#kept.load();
    this.#epoch = this.#wanted?.epoch ?? 0;
    const { entries, trouble } = await loadLedger(host, this.#wanted);
    this.#ledger = entries;
    if (entries.length === 0) this.#wait.booted(this.#wanted, this.#options.clock.nowMs());
    if (trouble !== undefined) {
      this.#options.log.error({ detail: trouble.detail }, "the ledger is damaged");
      this.#kept.say(trouble);
    }
    this.#applied = { ...NOTHING_APPLIED, listeners: await listeningBefore(host, this.#wanted) };
    await this.#look();
    // It ends after the last pass has: that may take as long as an address lives.
    this.#parts.use(startRenewing({ ...this.#options, known: () => this.view() }));
    this.#parts.use(this.#passes);
    this.#parts.use(host.kernel.onChange(() => void this.#looks.poke()));
    const again = (): void => void this.#feed.feedAgain().then(() => this.#passes.poke());
    if (host.members) this.#parts.use(host.members.onDrift(again));
    this.#armTick();
    this.#passes.poke();
  }

  accept(plan: AcceptedPlan, onFed?: () => void): void {
    this.#wanted = plan;
    this.#epoch = Math.max(this.#epoch, plan.epoch);
    if (!this.#feed.concerns(plan)) return void this.#passes.poke();
    // A pass may have to wait for a reload; members need not, nor for the work of a pass.
    const fed = this.#feed.feed(plan, this.#applied.listeners);
    void fed.then(onFed).then(() => this.#looks.poke());
    void fed.then(() => this.#passes.poke());
  }

  view(): ConvergeView {
    return {
      wanted: this.#wanted,
      isKept: this.#kept.isKept(this.#wanted),
      applied: this.#applied,
      appliedPlan: this.#appliedPlan,
      passes: this.#passCount,
      reloads: this.#reloads,
      links: this.#lastLook?.report.links ?? [],
      epoch: this.#epoch,
      ledger: this.#ledger,
      look: this.#lastLook,
      pass: this.#lastPass,
      isApplying: this.#phase % 2 === 1,
    };
  }

  async settled(): Promise<void> {
    await this.#passes.done(this.#passes.poke());
  }

  look(): Promise<void> {
    return this.#looks.done(this.#looks.poke());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#tick?.cancel();
    await this.#parts.disposeAsync();
  }

  /** One pass: keep the plan, look, decide, apply, look again, report. */
  async #pass(): Promise<void> {
    const wanted = this.#wanted;
    const begunMs = this.#options.clock.nowMs();
    const waitMs = this.#wait.begin(wanted, this.#applied, begunMs);
    if (waitMs > 0) {
      this.#knowsItsHost = true;
      return this.#passes.pokeIn(waitMs);
    }
    if (wanted !== undefined) await this.#applyPlan(wanted, begunMs);
    this.#knowsItsHost = true;
    this.#passCount += 1;
    const tookMs = Math.round(this.#options.clock.nowMs() - begunMs);
    this.#options.log.debug({ tookMs, revision: wanted?.revision }, "pass");
    await this.#look();
  }

  async #applyPlan(wanted: AcceptedPlan, begunMs: number): Promise<void> {
    const { clock, host, log } = this.#options;
    const passOf = (told: Pick<Pass, "steps" | "brokeOff">): Pass => {
      const endedMs = clock.nowMs();
      return { endedMs, tookMs: endedMs - begunMs, revision: wanted.revision, ...told };
    };
    this.#comingUp = wanted;
    const fed = this.#feed.feed(wanted, this.#applied.listeners);
    const looked = Promise.all([host.kernel.view(), fed, this.#kept.keep(wanted)]);
    const [{ addresses }, places, isKept] = await looked.catch((error: unknown) => {
      this.#comingUp = undefined;
      this.#lastPass = passOf({ steps: [], brokeOff: describeError(error) });
      throw error;
    });
    const [before, ledger, linksNew] = [this.#applied, this.#ledger, this.#newLinks.count];
    if (!isKept) this.#passes.pokeIn(RETRY_MS);
    const decided = decideSteps({ wanted, applied: before, addresses, ledger, isKept, places });
    const rereads = linksNew !== this.#linksRead;
    const nowMs = (): number => clock.nowMs();
    const context = { before, ledger, revisions: wanted.revisions, rereads, nowMs };
    // What is said meanwhile counts an address as there before it is, and after.
    this.#ledger = decided.touched;
    this.#comingUp = undefined;
    this.#phase += 1;
    const result = await applySteps(host, decided.steps, context).finally(() => {
      this.#phase += 1;
    });
    if (result.held) this.#linksRead = linksNew;
    logChanges(log, before, result.applied);
    this.#applied = result.applied;
    this.#appliedPlan = wanted.revision;
    this.#options.onApplied?.(wanted, clock.nowMs());
    this.#reloads += result.reloads;
    this.#ledger = result.ledger;
    this.#lastPass = passOf({ steps: result.steps });
    const retryMs = this.#wait.ended(begunMs, result, clock.nowMs());
    // What nginx does not connect to any more needs no members; newer ones may have been fed.
    await this.#feed.feed(this.#wanted ?? wanted, result.applied.listeners);
    if (decided.again) this.#passes.pokeIn(RELOAD_GAP_MS);
    else if (result.retry || this.#feed.remarks.length > 0) this.#passes.pokeIn(retryMs);
  }

  async #look(): Promise<void> {
    const { agent, clock, host, link } = this.#options;
    const doing = (): Doing => ({ phase: this.#phase, applied: this.#applied });
    const observed = await observeAmid(host, doing);
    this.#sequence += 1;
    const input: OutcomeInput = {
      agent,
      sequence: this.#sequence,
      epoch: this.#epoch,
      wanted: this.#wanted,
      coming: [this.#comingUp, this.#kept.plan],
      applied: this.#applied,
      appliedPlan: this.#appliedPlan,
      observed,
      outlook: this.#lookout.look({ wanted: this.#wanted, kernel: observed.kernel }),
      ledger: this.#ledger,
      reloads: this.#reloads,
      remarks: [...this.#kept.remarks, ...this.#feed.remarks],
      members: this.#feed,
    };
    const report = this.#reportOf(input);
    this.#lastLook = { atMs: clock.nowMs(), observed, report, wanted: this.#wanted };
    this.#lookWait.looked(report, clock.nowMs());
    if (this.#knowsItsHost) link.report(report);
    this.#trouble = undefined;
    if (this.#newLinks.look(observed.kernel.links, this.#wanted)) this.#passes.poke();
    // The supervisor starts a dead daemon within a second; one that stays down is ours to start.
    const isDue = isAnyDue(this.#applied.refused.values(), clock.nowMs());
    const isWanting = isDue || isDataPlaneDown(this.#applied, observed);
    if (isWanting && !this.#passes.isPokeDue()) this.#passes.pokeIn(RETRY_MS);
    this.#putBackWhatIsGone(observed);
  }

  /** A pass that runs, or has to come for another plan, sees for itself. */
  #putBackWhatIsGone({ kernel: { addresses } }: Observation): void {
    const wanted = this.#wanted;
    if (this.#phase % 2 === 1 || wanted?.revision !== this.#appliedPlan) return;
    const view = { addresses, ledger: this.#ledger, refused: this.#applied.problems };
    const waitMs = wanted && this.#putBack.waitMs(wanted, view);
    if (waitMs !== undefined) this.#passes.pokeIn(waitMs);
  }

  #fail(error: unknown): void {
    this.#knowsItsHost = true;
    const trouble = describeError(error);
    if (trouble !== this.#trouble) this.#options.log.error({ trouble }, "a pass failed");
    this.#trouble = trouble;
  }

  #failBlindly(error: unknown): void {
    this.#fail(error);
    const [look, wanted, sequence] = [this.#lastLook, this.#wanted, this.#sequence + 1];
    const report = blindReport({ look, wanted, sequence, error });
    if (report === undefined) return;
    this.#sequence = sequence;
    this.#options.link.report(report);
  }

  #armTick(): void {
    const { clock } = this.#options;
    this.#tick = clock.setTimer(this.#lookWait.waitMs(clock.nowMs()), () => {
      this.#lookWait.due();
      this.#looks.poke();
      this.#armTick();
    });
  }
}
