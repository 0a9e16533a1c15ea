// What every election keeps, whatever its record is: until when a lead is sure by this process' own
// monotonic clock, who is told of it, and the loop that looks again in time. Given one step of the
// election. It never believes a lead for longer than a part of the lease time after the last
// renewal was sent, so that it ends here before a successor takes it.

import { type Clock, describeError, type Timer } from "@fairlead/runtime";

import { isUnreachable } from "../is-unreachable.ts";
import type { ElectionEvents, ElectionView } from "../ports.ts";

/** Of the lease time: a lead counts as over. */
const SURE_SHARE = 2 / 3;
/** Of the lease time: a lead is renewed, or a failed try made again. */
const RENEW_SHARE = 2 / 15;

/** What a keeper works with. */
export interface LeadKeeperOptions {
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly identity: string;
  /** How long a lead lasts that is not renewed, in ms. */
  readonly leaseMs: number;
  /** One look, and a write where one is due. Resolves with the wait before the next, in ms. */
  readonly step: () => Promise<number>;
}

/** Keeps the lead of one process. */
export class LeadKeeper {
  readonly #options: LeadKeeperOptions;
  readonly #stop = new AbortController();
  #events: ElectionEvents | undefined;
  /** Set while it leads: nothing may be written from then on. */
  #sureUntilMs: number | undefined;
  #expiry: Timer | undefined;
  #trouble: string | undefined;
  #isUnreachable = false;
  #wake: () => void = () => undefined;
  #running: Promise<void> | undefined;

  constructor(options: LeadKeeperOptions) {
    this.#options = options;
  }

  /** Aborted at the end. */
  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  /** Whether it has the lead and has not noticed its end; see `isSure`. */
  get isLeading(): boolean {
    return this.#sureUntilMs !== undefined;
  }

  /** A lead is renewed after this long, in ms. */
  get againMs(): number {
    return this.#options.leaseMs * RENEW_SHARE;
  }

  /** How long to wait after a step that failed, in ms: those that failed together part. */
  get retryMs(): number {
    return this.againMs * (0.5 + this.#options.random() / 2);
  }

  /** Takes the first step, and goes on with more until `end`. */
  async start(events: ElectionEvents): Promise<void> {
    this.#events = events;
    const waitMs = await this.#options.step();
    this.#running = this.#run(waitMs);
  }

  /** @param seen who leads by the record. */
  view(seen: string | undefined): ElectionView {
    const { identity } = this.#options;
    const leads = this.isSure();
    const holder = leads ? identity : seen;
    const trouble = this.#trouble;
    return {
      leads,
      ...(holder === undefined || (holder === identity && !leads) ? {} : { holder }),
      ...(trouble === undefined ? {} : { trouble }),
      ...(this.#isUnreachable ? { isUnreachable: true } : {}),
    };
  }

  /** Whether it leads at this very moment. */
  isSure(): boolean {
    return this.#sureUntilMs !== undefined && this.#options.clock.nowMs() < this.#sureUntilMs;
  }

  /** Whether a lead that was asked for at `sentMs` would be sure now. */
  wouldBeSure(sentMs: number): boolean {
    return this.#options.clock.nowMs() < this.#endOf(sentMs);
  }

  /** It has the lead, by a request that was sent at `sentMs`. */
  hold(sentMs: number): void {
    const { clock } = this.#options;
    const wasLeading = this.isLeading;
    this.#sureUntilMs = this.#endOf(sentMs);
    this.#expiry?.cancel();
    this.#expiry = clock.setTimer(this.#sureUntilMs - clock.nowMs(), () => this.lose());
    if (!wasLeading) this.#events?.onLead();
  }

  /** It has the lead no more. */
  lose(): void {
    if (this.#sureUntilMs === undefined) return;
    this.drop();
    this.#events?.onLost();
    this.wake();
  }

  /** Ends a lead of which nobody needs to be told. */
  drop(): void {
    this.#sureUntilMs = undefined;
    this.#expiry?.cancel();
  }

  /** The lead can be neither had nor seen, for this error. */
  sayTrouble(error: unknown): void {
    this.#isUnreachable = isUnreachable(error);
    this.#say(describeError(error));
  }

  /** The lead is had, or seen. */
  sayWell(): void {
    this.#isUnreachable = false;
    this.#say(undefined);
  }

  /** The view may differ. */
  changed(): void {
    this.#events?.onChange();
  }

  /** Takes the next step now. */
  wake(): void {
    this.#wake();
  }

  /** Resolves when no step is under way, and none follows. A lead stays until it is dropped. */
  async end(): Promise<void> {
    this.#stop.abort(new Error("stopped"));
    this.#expiry?.cancel();
    this.wake();
    await this.#running;
  }

  #say(trouble: string | undefined): void {
    if (trouble === this.#trouble) return;
    this.#trouble = trouble;
    this.changed();
  }

  #endOf(sentMs: number): number {
    return sentMs + this.#options.leaseMs * SURE_SHARE;
  }

  async #run(firstWaitMs: number): Promise<void> {
    let waitMs = firstWaitMs;
    while (!this.#stop.signal.aborted) {
      await this.#sleep(waitMs);
      if (!this.#stop.signal.aborted) waitMs = await this.#options.step();
    }
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#options.clock.setTimer(ms, resolve);
      this.#wake = () => {
        timer.cancel();
        resolve();
      };
    });
  }
}
