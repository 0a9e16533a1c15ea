// The lead as the loop has it: won in an election, and then with the store open under an epoch of
// its own. Given both. It opens the store each time that the lead is won, says when it is over, and
// whose it is; it knows nothing of plans.
//
// States: stands by -> opens (the election is won) -> leads (the store is open) -> stands by.

import { type Clock, type Logger, describeError, isEdgeError } from "@fairlead/runtime";

import type { Election, ElectionView, LeadOwner, Store, StoredState } from "./ports.ts";
import { createReadingAhead } from "./reading-ahead.ts";
import { createLeaderTeller } from "./tell-leader.ts";

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
  /** Whether it leads and its store is open, at this very moment. */
  isHeld(): boolean;
  view(): ElectionView;
}

/** Makes it; nothing happens before `start`. */
export function createLead(options: LeadOptions): Lead {
  const { clock, log, election, store } = options;
  const stop = new AbortController();
  /** Counts terms, so that a store that was opened for an earlier one is not taken for this. */
  let term = 0;
  let isWon = false;
  let isOpen = false;
  let opening: Promise<void> | undefined;
  let hasStarted = false;
  const leader = createLeaderTeller(options);
  const ahead = createReadingAhead({ clock, store });

  async function open(mine: number, earlier: Promise<void>): Promise<void> {
    // A store opens once at a time; how that of an earlier term ended matters no more.
    await earlier.catch(() => undefined);
    while (mine === term && !stop.signal.aborted) {
      try {
        const stored = await store.open();
        if (mine !== term || stop.signal.aborted) return;
        isOpen = true;
        options.onOpened(stored);
        return;
      } catch (error) {
        if (mine !== term || stop.signal.aborted) return;
        if (!hasStarted || !isEdgeError(error) || !error.retryable) throw error;
        log.error({ trouble: describeError(error) }, "the store cannot be opened");
      }
      await clock.sleep(OPEN_RETRY_MS, stop.signal).catch(() => undefined);
    }
  }

  function onLead(): void {
    term += 1;
    log.info({ identity: election.identity }, "this controller leads");
    isWon = true;
    ahead.end();
    leader.lead();
    opening = open(term, opening ?? Promise.resolve());
    // At the start whoever started is told.
    opening.catch((error: unknown) => {
      if (hasStarted) options.onFailed(error instanceof Error ? error : new Error(String(error)));
    });
  }

  function onLost(): void {
    term += 1;
    log.warn({ identity: election.identity }, "this controller no longer leads");
    [isWon, isOpen] = [false, false];
    options.onLost();
    if (!stop.signal.aborted) ahead.begin();
    leader.standBy(election.view());
  }

  function onChange(): void {
    if (!isWon) leader.see(election.view());
    options.onChange();
  }

  return {
    start: async () => {
      await election.start({ onLead, onLost, onChange });
      await opening;
      hasStarted = true;
      if (opening !== undefined) return;
      leader.standBy(election.view());
      ahead.begin();
    },
    isHeld: () => isOpen && !stop.signal.aborted && election.view().leads,
    view: () => election.view(),
    [Symbol.dispose]: () => {
      term += 1;
      ahead.end();
      stop.abort(new Error("stopped"));
    },
  };
}
