// How long members of a new plan take to reach the data path, from the arrival of the update that
// brought them. Given the clock. It only adds up; what is read from it never falls.

import type { Clock } from "@fairlead/runtime";

/** The sums since the agent's start. */
export interface FedTimes {
  /** Plans whose members were fed. */
  readonly plans: number;
  /** Their times together, in ms. */
  readonly totalMs: number;
  /** The members of a plan that came at `receivedMs` were fed now. */
  add(receivedMs: number): void;
}

/** Makes sums of nothing. */
export function createFedTimes(clock: Pick<Clock, "nowMs">): FedTimes {
  let plans = 0;
  let totalMs = 0;
  return {
    get plans() {
      return plans;
    },
    get totalMs() {
      return totalMs;
    },
    add: (receivedMs) => {
      plans += 1;
      totalMs += clock.nowMs() - receivedMs;
    },
  };
}
