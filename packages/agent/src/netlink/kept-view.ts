// The newest view of the kernel, kept while nothing changes: a dump of a thousand addresses costs
// some ten milliseconds, and the loop looks every second. Given how to look. What the kernel's
// events should have told and did not is found when the view is too old.

import type { Clock } from "@fairlead/runtime";

import type { KernelView } from "../ports.ts";

/** What it is made of. */
export interface KeptViewOptions {
  readonly clock: Clock;
  /** Looks anew. */
  readonly look: () => Promise<KernelView>;
  /** A view is kept for this long, in ms; 0 keeps none. */
  readonly keptMs: number;
}

/** The view that is kept. */
export interface KeptView {
  /** Something may have changed: the next call looks anew. */
  outdate(): void;
  /** The kept view, or a new one. The very same object while nothing was looked at anew. */
  last(): Promise<KernelView>;
}

/** Makes it; nothing is kept yet. */
export function createKeptView({ clock, look, keptMs }: KeptViewOptions): KeptView {
  let kept: { readonly view: KernelView; readonly atMs: number } | undefined;
  let changes = 0;
  return {
    outdate: () => {
      changes += 1;
      kept = undefined;
    },
    last: async () => {
      const atMs = clock.nowMs();
      if (kept !== undefined && atMs - kept.atMs < keptMs) return kept.view;
      const before = changes;
      const view = await look();
      // What changed while it was looked at may be in it or not.
      if (before === changes) kept = { view, atMs };
      return view;
    },
  };
}
