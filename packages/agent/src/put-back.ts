// When the loop has to put addresses on their device again between two passes. Given a clock and
// what was seen; however fast others remove what is ours, it is put back at most a few times a
// second.

import type { Clock } from "@fairlead/runtime";

import { type AttachView, isAttachingDue } from "./attach.ts";
import type { AcceptedPlan } from "./ports.ts";
import { remembered } from "./remembered.ts";

/** At most this often, in ms. */
const GAP_MS = 200;

/** The memory of putting back. */
export interface PutBack {
  /** Ms until a pass has to run for it: 0 for at once, undefined for not at all. */
  waitMs(plan: AcceptedPlan, view: AttachView): number | undefined;
}

type ViewParts = readonly [AttachView["addresses"], AttachView["ledger"], AttachView["refused"]];

/** Makes it; nothing was put back yet. */
export function createPutBack(clock: Clock): PutBack {
  /** When the last one that was asked for is to run. */
  let passMs = Number.NEGATIVE_INFINITY;
  const isDue = remembered(
    (plan: AcceptedPlan, ...[addresses, ledger, refused]: ViewParts): boolean =>
      isAttachingDue(plan, { addresses, ledger, refused }),
  );
  return {
    waitMs(plan, { addresses, ledger, refused }) {
      if (!isDue(plan, addresses, ledger, refused)) return undefined;
      const nowMs = clock.nowMs();
      if (passMs <= nowMs) passMs = Math.max(nowMs, passMs + GAP_MS);
      return passMs - nowMs;
    },
  };
}
