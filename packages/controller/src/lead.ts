// The lead as the loop has it: won in an election, and then with the store open under an epoch of
// its own. Given both. It opens the store each time that the lead is won, says when it is over, and
// whose it is; it knows nothing of plans.
//
// States: stands by -> opens (the election is won) -> leads (the store is open) -> stands by. One
// that is overtaken waits for its election to notice, and fails where that never does.

import { type Clock, type Logger, type Timer, describeError, isEdgeError } from "@fairlead/runtime";

import type { Election, ElectionView, LeadOwner, Store, StoredState } from "./ports.ts";
import { createReadingAhead, type ReadingAhead } from "./reading-ahead.ts";
import { createLeaderTeller, type LeaderTeller } from "./tell-leader.ts";

/** A store that cannot be opened just now is tried again after this long, in ms. */
const OPEN_RETRY_MS = 1000;

/** What the lead is made of. */
export interface LeadOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly election: Election;
  readonly store: Store;
  /** The lead is won and the store is open. */
  readonly onOpened: (stored: StoredState) => void;
  /** Nothing may be written any more. Told once for each lead that was won, opened or not. */
  readonly onLost: () => void;
  /** Whose the lead is, each time that this changes; ours before the store is open. */
  readonly onOwner: (whose: LeadOwner) => void;
  /** Another one has the store, and by its election this one has the lead all the same. */
  readonly onFenced: (epoch: number) => void;
  /** The store can never be opened, found after the start. */
  readonly onFailed: (error: Error) => void;
  /** Who leads may have changed. */
  readonly onChange: () => void;
}

/** The lead of this controller. Disposing opens nothing more; the election goes on by itself. */
export interface Lead extends Disposable {
  /**
   * Tries for the lead. When it resolves and the lead was won, the store is open. Rejects with the
   * EdgeError of the election or of the store.
   */
  start(): Promise<void>;
  /**
   * A write was refused, as another one took the store under this epoch. The lead is over then, and
   * its election is about to notice: an etcd ends a lease early when its leader hung.
   */
  overtake(epoch: number): void;
  /** Whether it leads and its store is open, at this very moment. */
  isHeld(): boolean;
  view(): ElectionView;
}

/** Makes it; nothing happens before `start`. */
export function createLead(options: LeadOptions): Lead {
  return new OurLead(options);
}

class OurLead implements Lead {
  readonly #options: LeadOptions;
  readonly #leader: LeaderTeller;
  readonly #ahead: ReadingAhead;
  readonly #stop = new AbortController();
  /** Counts terms, so that a store that was opened for an earlier one is not taken for this. */
  #term = 0;
  #isWon = false;
  #isOpen = false;
  #opening: Promise<void> | undefined;
  #hasStarted = false;
  /** Runs while another one has the store and this one has the lead. */
  #overtaken: Timer | undefined;

  constructor(options: LeadOptions) {
    this.#options = options;
    this.#leader = createLeaderTeller(options);
    this.#ahead = createReadingAhead(options);
  }

  async start(): Promise<void> {
    const { election } = this.#options;
    await election.start({
      onLead: () => this.#onLead(),
      onLost: () => this.#onLost(),
      onChange: () => this.#onChange(),
    });
    await this.#opening;
    this.#hasStarted = true;
    if (this.#opening !== undefined) return;
    this.#leader.standBy(election.view());
    this.#ahead.begin();
  }

  overtake(epoch: number): void {
    const { election, log, clock, onFenced } = this.#options;
    if (election.noticesMs === 0) return onFenced(epoch);
    log.warn({ epoch }, "another controller took the store; this one writes no more");
    this.#isOpen = false;
    this.#overtaken = clock.setTimer(election.noticesMs, () => onFenced(epoch));
  }

  isHeld(): boolean {
    return this.#isOpen && !this.#stop.signal.aborted && this.view().leads;
  }

  view(): ElectionView {
    return this.#options.election.view();
  }

  [Symbol.dispose](): void {
    this.#term += 1;
    this.#ahead.end();
    this.#overtaken?.cancel();
    this.#stop.abort(new Error("stopped"));
  }

  #onLead(): void {
    const { log, election, onFailed } = this.#options;
    this.#term += 1;
    log.info({ identity: election.identity }, "this controller leads");
    this.#isWon = true;
    this.#ahead.end();
    this.#leader.lead();
    this.#opening = this.#open(this.#term, this.#opening ?? Promise.resolve());
    // At the start whoever started is told.
    this.#opening.catch((error: unknown) => {
      if (this.#hasStarted) onFailed(error instanceof Error ? error : new Error(String(error)));
    });
  }

  #onLost(): void {
    const { log, election, onLost } = this.#options;
    this.#term += 1;
    log.warn({ identity: election.identity }, "this controller no longer leads");
    [this.#isWon, this.#isOpen] = [false, false];
    this.#overtaken?.cancel();
    onLost();
    if (!this.#stop.signal.aborted) this.#ahead.begin();
    this.#leader.standBy(election.view());
  }

  #onChange(): void {
    if (!this.#isWon) this.#leader.see(this.view());
    this.#options.onChange();
  }

  async #open(mine: number, earlier: Promise<void>): Promise<void> {
    const { clock, log, store, onOpened } = this.#options;
    const isOver = (): boolean => mine !== this.#term || this.#stop.signal.aborted;
    // A store opens once at a time; how that of an earlier term ended matters no more.
    await earlier.catch(() => undefined);
    while (!isOver()) {
      try {
        const stored = await store.open();
        if (isOver()) return;
        this.#isOpen = true;
        onOpened(stored);
        return;
      } catch (error) {
        if (isOver()) return;
        if (!this.#hasStarted || !isEdgeError(error) || !error.retryable) throw error;
        log.error({ trouble: describeError(error) }, "the store cannot be opened");
      }
      await clock.sleep(OPEN_RETRY_MS, this.#stop.signal).catch(() => undefined);
    }
  }
}
