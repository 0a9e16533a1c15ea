// Asks the segment, while a pass does other things, who has the addresses that it is about to hold.
// Given the steps of the pass.

import type { Address } from "@fairlead/model";
import { describeError } from "@fairlead/runtime";

import type { Applied } from "./applied.ts";
import type { SegmentAsker } from "./ports.ts";
import type { Step } from "./steps.ts";

/** What was answered, or why nobody could be asked. */
export type Answers = ReadonlyMap<Address, string> | { readonly trouble: string };

/** What fails once is a busy kernel; what fails as often as this is a right that is missing. */
const TRIES_MAX = 3;

/** Asking takes as long as a reload of nginx, so it begins with the pass. Never rejects. */
export async function startAsking(segment: SegmentAsker, steps: readonly Step[]): Promise<Answers> {
  const questions = steps.flatMap((step) => (step.kind === "ask" ? step.questions : []));
  if (questions.length === 0) return new Map();
  for (let tries = 1; ; tries += 1) {
    try {
      return await segment.ask(questions);
    } catch (error) {
      if (tries === TRIES_MAX) return { trouble: describeError(error) };
    }
  }
}

/**
 * Addresses of a pass that were asked for and not handed over, as something went wrong: when that
 * is mended somebody else may have them.
 */
export function askedInVain(
  steps: readonly Step[],
  { vips, attached }: Pick<Applied, "vips" | "attached">,
): readonly Address[] {
  const questions = steps.flatMap((step) => (step.kind === "ask" ? step.questions : []));
  const asked = questions.map(({ address }) => address);
  return asked.filter((address) => !vips.has(address) && !attached.has(address));
}
