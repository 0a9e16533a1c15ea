// The newest view of the kernel, kept while nothing changes: a dump of a thousand addresses costs
// some ten milliseconds, and the loop looks every second. Given how to look, and what tells of
// changes without an event. What the kernel's events should have told and did not is found when the
// view is too old.

import type { Clock } from "@fairlead/runtime";

import type { KernelView } from "../ports.ts";

/** What it is made of. */
export interface KeptViewOptions {
  readonly clock: Clock;
  /** Looks anew. */
  readonly look: () => Promise<KernelView>;
  /** A view is kept for this long, in ms; 0 keeps none. */
  readonly keptMs: number;
  /**
   * What is part of a view and changes without an event, as text to compare. A view is kept on, for
   * some times as long at most, while this stays the same.
   */
  readonly silentPart: () => string;
}

/** The view that is kept. */
export interface KeptView {
  /** Something may have changed: the next call looks anew. */
  outdate(): void;
  /** The kept view, or a new one. The very same object while nothing was looked at anew. */
  last(): Promise<KernelView>;
}

/**
 * So many times as long a view is kept in which nothing was found to have changed: the first one,
 * as most is missed while a program starts, and later ones. A dump of a thousand addresses and what
 * it leaves behind take 90 ms: once a minute that was a sixth of what an idle agent costs.
 */
const KEPT_TIMES = { first: 6, later: 30 };
/** Of an address that is not ours to renew less is left than a view says: as long as it is kept. */
const SHORT_LIFETIME_MS = 600_000;

/** Makes it; nothing is kept yet. */
export function createKeptView(options: KeptViewOptions): KeptView {
  const { clock, look, keptMs, silentPart } = options;
  let kept: Kept | undefined;
  let changes = 0;
  let times = KEPT_TIMES.first;
  return {
    outdate: () => {
      changes += 1;
      kept = undefined;
    },
    last: async () => {
      const atMs = clock.nowMs();
      if (kept !== undefined) {
        if (isStillGood(kept, atMs)) return kept.view;
        times = KEPT_TIMES.later;
      }
      const before = changes;
      const silent = silentPart();
      const view = await look();
      // What changed while it was looked at may be in it or not.
      if (before === changes) kept = { view, atMs, silent, checkedMs: atMs };
      return view;
    },
  };

  function isStillGood(known: Kept, nowMs: number): boolean {
    if (nowMs - known.checkedMs < keptMs) return true;
    if (nowMs - known.atMs >= times * keptMs || hasShortLifetime(known.view)) return false;
    if (silentPart() !== known.silent) return false;
    known.checkedMs = nowMs;
    return true;
  }
}

/** A view, and how good it is. */
interface Kept {
  readonly view: KernelView;
  readonly atMs: number;
  readonly silent: string;
  /** When nothing was found to have changed last. */
  checkedMs: number;
}

/** Lifetimes run down without an event, and those of an address that is renewed are short. */
function hasShortLifetime({ addresses }: KernelView): boolean {
  return addresses.some(({ validMs }) => validMs !== undefined && validMs < SHORT_LIFETIME_MS);
}
