// Listeners that nginx has refused by themselves, in which content and when: they are left out
// until that changes, so that one of them costs no later change a check. What else a refusal may
// hang on, such as a module or another release of nginx, is not known: now and then they are tried
// again. Pure.

import type { Remark, ResourceName } from "@fairlead/model";

import type { ServedListener } from "./applied.ts";
import { isSameText } from "./generation-id.ts";

/** A listener in the content that nginx refused, and its words. */
export interface RefusedListener {
  readonly entry: ServedListener;
  readonly remark: Remark;
  /** Until then it is not tried again, in monotonic ms. */
  readonly untilMs: number;
}

/** By the listener's name. */
export type RefusedListeners = ReadonlyMap<ResourceName, RefusedListener>;

/** What nginx refused is tried again after this long without a change, in ms. */
export const REFUSED_MS = 300_000;

/** One that was refused now. */
export function refusedNow(entry: ServedListener, remark: Remark, nowMs: number): RefusedListener {
  return { entry, remark, untilMs: nowMs + REFUSED_MS };
}

/** The refusal of a listener just as it is wanted; undefined when there was none. */
export function refusalOf(
  refused: RefusedListeners,
  entry: ServedListener,
): RefusedListener | undefined {
  const known = refused.get(entry.listener.name);
  return known !== undefined && isSameText(known.entry, entry) ? known : undefined;
}

/** Whether any of them is to be tried again. */
export function isAnyDue(refused: Iterable<RefusedListeners>, nowMs: number): boolean {
  for (const listeners of refused) {
    for (const { untilMs } of listeners.values()) if (untilMs <= nowMs) return true;
  }
  return false;
}
