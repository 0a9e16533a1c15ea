// Planning in steps: a planning that looks at thousands of claims stops now and then, so that its
// caller may let others have the loop. Where it stops is told by what it looks at and never by a
// clock: the same world is planned in the same steps.

/** Something that is done in steps, and what it comes to. Between two steps it is half done. */
export type Steps<T> = Generator<undefined, T, undefined>;

/** So many claims or addresses are one step: a few ms. What is less is done in one go. */
const STEP = 250;

/** Whether a step ends when so many have been looked at. */
export function isStep(looked: number): boolean {
  return looked > 0 && looked % STEP === 0;
}

/** Whether so many were looked at that what comes next is a step of its own. */
export function isMuch({ size }: { readonly size: number }): boolean {
  return size >= STEP;
}

/** Does all steps at once. */
export function runSteps<T>(steps: Steps<T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}
