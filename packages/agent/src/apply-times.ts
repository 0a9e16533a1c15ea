// How long plans take until they are in force on this host, from the arrival of the update that
// brought them. A pass is for the newest plan, and so for all that came before it. Given no clock:
// who calls says when.

import type { AcceptedPlan } from "./ports.ts";

/** The plans that are not in force yet, and who is told when they are. */
export interface ApplyTimes {
  /** A plan came; both in monotonic ms. */
  came(plan: AcceptedPlan, receivedMs: number): void;
  /** A pass for this plan ended: all of it that the host takes is in force. */
  readonly applied: (plan: AcceptedPlan, nowMs: number) => void;
  /** From now on `told` hears how long each plan took, in ms. */
  follow(told: (tookMs: number) => void): void;
}

/** Plans that wait one by one: as many come in 40 s at most. Later ones count with the last. */
const WAITING_MAX = 1000;

/** Makes it; nothing came yet. */
export function createApplyTimes(): ApplyTimes {
  let waiting: { readonly plan: AcceptedPlan; readonly receivedMs: number }[] = [];
  const followers: ((tookMs: number) => void)[] = [];
  return {
    came: (plan, receivedMs) => {
      const last = waiting.length < WAITING_MAX ? undefined : waiting.pop();
      waiting.push({ plan, receivedMs: last?.receivedMs ?? receivedMs });
    },
    applied: (plan, nowMs) => {
      const last = waiting.findIndex((one) => one.plan === plan);
      const done = waiting.slice(0, last + 1);
      waiting = waiting.slice(last + 1);
      for (const { receivedMs } of done) for (const told of followers) told(nowMs - receivedMs);
    },
    follow: (told) => void followers.push(told),
  };
}
