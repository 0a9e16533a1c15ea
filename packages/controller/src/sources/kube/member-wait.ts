// Holds a new Service back for a moment until its first EndpointSlice is there. The slice follows
// the Service within some 15 ms (measured with 1.36.3); without the wait an agent would serve the
// Service without members first, and reload for them a second later.

import type { Clock, Timer } from "@fairlead/runtime";

/** A Service that gets no slice in this time is told without members, in ms. */
export const MEMBER_WAIT_MS = 100;

/** Who is held back, and until when. */
export interface MemberWait extends Disposable {
  /** Whether the Service is to be told later. Counts from the first time that it is asked about. */
  holds(key: string): boolean;
  /** The Service has members, or went: nothing is waited for. */
  forget(key: string): void;
}

/** Makes one that holds nobody. `onDue` is called when the time of one is over. */
export function createMemberWait(clock: Clock, onDue: () => void): MemberWait {
  const dueMs = new Map<string, number>();
  let timer: Timer | undefined;
  const schedule = (): void => {
    if (timer !== undefined) return;
    timer = clock.setTimer(MEMBER_WAIT_MS, () => {
      timer = undefined;
      onDue();
    });
  };
  return {
    holds: (key) => {
      const nowMs = clock.nowMs();
      const due = dueMs.get(key) ?? nowMs + MEMBER_WAIT_MS;
      const isHeld = nowMs < due;
      if (isHeld) {
        dueMs.set(key, due);
        schedule();
      } else dueMs.delete(key);
      return isHeld;
    },
    forget: (key) => void dueMs.delete(key),
    [Symbol.dispose]: () => timer?.cancel(),
  };
}
