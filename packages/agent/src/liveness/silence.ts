// Whether nginx answers, by asking it some times a second: a master that lives says nothing of
// workers that crash, hang or have no file left. Given the question; it waits for no answer, so
// that a loop that was held up itself does not take its own pause for nginx's.

/** What is known of nginx: it answers, it does not, or one question is not enough to say. */
export type Answering = "answers" | "silent" | "unsure";

/** The memory of the questions asked. */
export interface Silence {
  /**
   * Takes one tick of the loop into account, asks where it is time, and says what is known.
   * @param units what the loop waited before it, in units of 50 ms.
   */
  tick(units: number): Answering;
  /** Whether the next answer, or that none comes, may change what is known: it is worth a hurry. */
  readonly isUnsettled: boolean;
  /** What was answered before now, or is asked already, counts no more. */
  forget(): void;
}

/** A question is asked each 200 ms, and while it answers nobody once a second. */
const UNITS_BETWEEN = 4;
const UNITS_BETWEEN_AT_REST = 20;
/** Unanswered for 400 ms: a client has waited long enough. */
const WAITED_UNITS_MAX = 8;
/** It sleeps at as many looks while it is asked: it takes nobody in, as it has no file left. */
const ASLEEP_LOOKS = 2;
/** Refused as often in a row: one may meet nginx between two generations. */
const REFUSED_MAX = 2;
/** The second one is asked for soon: clients may be refused as well. */
const UNITS_AFTER_REFUSAL = 2;

/** What it is made of. */
export interface SilenceOptions {
  /** Whether it answers; undefined when it could not be asked. It must not reject. */
  readonly ask: () => Promise<boolean | undefined>;
  /** Whether no client depends on it now. */
  readonly isAtRest: () => boolean;
  /** Whether it does nothing now; asked only while it owes an answer. */
  readonly isAsleep: () => boolean;
  /** A refusal came between two ticks, and may mean something: the next one is worth a hurry. */
  readonly onRefused: () => void;
}

/** Makes it; nothing is asked before the first tick. */
export function createSilence(options: SilenceOptions): Silence {
  const { ask, isAtRest, isAsleep, onRefused } = options;
  let known: Answering = "unsure";
  let refused = 0;
  let passed = 0;
  let asleep = 0;
  let isAsking = false;
  let isOverdue = false;
  let epoch = 0;
  const isDoubted = (): boolean => refused > 0 && refused < REFUSED_MAX;
  const unitsBetween = (): number => {
    if (isDoubted()) return UNITS_AFTER_REFUSAL;
    return known === "answers" && isAtRest() ? UNITS_BETWEEN_AT_REST : UNITS_BETWEEN;
  };
  const answered = (answers: boolean | undefined, asked: number): void => {
    if (asked !== epoch) return;
    isAsking = false;
    isOverdue = false;
    passed = 0;
    refused = answers === false ? refused + 1 : 0;
    if (answers === true) known = "answers";
    else known = refused >= REFUSED_MAX ? "silent" : "unsure";
    if (refused > 0 && refused <= REFUSED_MAX) onRefused();
  };
  return {
    tick: (units) => {
      passed += units;
      if (isAsking) {
        asleep = isAsleep() ? asleep + 1 : 0;
        isOverdue = passed < WAITED_UNITS_MAX && asleep < ASLEEP_LOOKS;
        if (!isOverdue) known = "silent";
      } else if (passed >= unitsBetween()) {
        isAsking = true;
        passed = 0;
        asleep = 0;
        const asked = epoch;
        void ask().then((answers) => answered(answers, asked));
      }
      return known;
    },
    get isUnsettled() {
      return isOverdue || isDoubted();
    },
    forget: () => {
      epoch += 1;
      known = "unsure";
      refused = 0;
      isAsking = false;
      isOverdue = false;
      // The next tick asks.
      passed = UNITS_BETWEEN;
    },
  };
}
