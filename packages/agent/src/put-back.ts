// When the loop has to put addresses on their device again between two passes. Given a clock and
// what was seen; however fast others remove what is ours, it is put back at most a few times a
// second.

import type { Clock } from "@fairlead/runtime";

import { type AttachView, isAttachingDue } from "./attach.ts";
import type { AcceptedPlan } from "./ports.ts";

/** At most this often, in ms. */
const GAP_MS = 200;

/** The memory of putting back. */
export interface PutBack {
  /** Ms until a pass has to run for it: 0 for at once, undefined for not at all. */
  waitMs(plan: AcceptedPlan, view: AttachView): number | undefined;
}

/** Makes it; nothing was put back yet. */
export function createPutBack(clock: Clock): PutBack {
  let lastMs = Number.NEGATIVE_INFINITY;
  return {
    waitMs(plan, view) {
      if (!isAttachingDue(plan, view)) return undefined;
      const waitMs = Math.max(0, lastMs + GAP_MS - clock.nowMs());
      if (waitMs === 0) lastMs = clock.nowMs();
      return waitMs;
    },
  };
}
