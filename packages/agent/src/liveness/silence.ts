// Whether nginx answers, by asking it some times a second: a master that lives says nothing of
// workers that crash, hang or have no file left. Given the question; it waits for no answer, so
// that a loop that was held up itself does not take its own pause for nginx's.

/** What is known of nginx: it answers, it does not, or one question is not enough to say. */
export type Answering = "answers" | "silent" | "unsure";

/** The memory of the questions asked. */
export interface Silence {
  /** Counts one tick of the loop, asks where it is time, and says what is known. */
  tick(): Answering;
  /** What was answered before now, or is asked already, counts no more. */
  forget(): void;
}

/** A question is asked on every second tick, and while it answers nobody once a second. */
const TICKS_BETWEEN = 2;
const TICKS_BETWEEN_AT_REST = 10;
/** Unanswered for as many ticks: at 100 ms a tick a client has waited long enough. */
const WAITED_TICKS_MAX = 4;
/** Refused as often in a row: one may meet nginx between two generations. */
const REFUSED_MAX = 2;

/**
 * Makes it; nothing is asked before the first tick.
 * @param ask whether it answers; undefined when it could not be asked. It must not reject.
 * @param isAtRest whether no client depends on it now.
 */
export function createSilence(
  ask: () => Promise<boolean | undefined>,
  isAtRest: () => boolean,
): Silence {
  let known: Answering = "unsure";
  let refused = 0;
  let ticks = 0;
  let isAsking = false;
  let epoch = 0;
  const ticksBetween = (): number =>
    known === "answers" && isAtRest() ? TICKS_BETWEEN_AT_REST : TICKS_BETWEEN;
  const answered = (answers: boolean | undefined, asked: number): void => {
    if (asked !== epoch) return;
    isAsking = false;
    ticks = 0;
    refused = answers === false ? refused + 1 : 0;
    if (answers === true) known = "answers";
    else known = refused >= REFUSED_MAX ? "silent" : "unsure";
  };
  return {
    tick: () => {
      ticks += 1;
      if (isAsking) {
        if (ticks >= WAITED_TICKS_MAX) known = "silent";
      } else if (ticks >= ticksBetween()) {
        isAsking = true;
        ticks = 0;
        const asked = epoch;
        void ask().then((answers) => answered(answers, asked));
      }
      return known;
    },
    forget: () => {
      epoch += 1;
      known = "unsure";
      refused = 0;
      isAsking = false;
      // The next tick asks.
      ticks = TICKS_BETWEEN;
    },
  };
}
