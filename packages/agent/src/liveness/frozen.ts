// Whether a process that lives does nothing any more: it is stopped, or it has not paused once in a
// time in which it must. Pure: looks in, verdict out.

/** What successive looks at one process have come to. */
export interface Looks {
  /** Looks in a row that found it stopped. */
  readonly stopped: number;
  /** Looks in a row that found it busy without a pause since the first of them. */
  readonly busy: number;
  /** Its pauses at the first of the busy looks. */
  readonly pauses: number | undefined;
}

/** No look yet. */
export const NO_LOOKS: Looks = { stopped: 0, busy: 0, pauses: undefined };

/** One who traces a process stops it for a moment: only a second look makes it sure. */
const STOPPED_LOOKS = 2;
/**
 * For 3 s, as a busy one is looked at each 50 ms. keepalived waits after each thing that it does;
 * with 4 000 VIPs the longest took 100 ms.
 */
const BUSY_LOOKS = 60;

/** Takes one more look into account. `pauses` is asked for only when the process is busy. */
export function looked(before: Looks, state: string, pauses: () => number | undefined): Looks {
  if (state === "T" || state === "t") return { ...NO_LOOKS, stopped: before.stopped + 1 };
  if (state !== "R" && state !== "D") return NO_LOOKS;
  const now = pauses();
  const isSame = before.busy > 0 && now === before.pauses;
  return { stopped: 0, busy: isSame ? before.busy + 1 : 1, pauses: now };
}

/** Whether it has to be ended. */
export function isFrozen(looks: Looks): boolean {
  return looks.stopped >= STOPPED_LOOKS || looks.busy >= BUSY_LOOKS;
}
