// One story as a test: makes the stage, tells the story, ends it by the same checks every time, and
// keeps evidence when something was wrong. Given the story; nothing of it is left in any case.

import { test } from "node:test";

import { describeError } from "@fairlead/runtime";

import { endStory } from "./ending.ts";
import { keepEvidence } from "./evidence.ts";
import { createStage, type Stage, type StageOptions } from "./stage.ts";

/** The longest a story may take with its stage; the usual one takes a tenth. */
const STORY_MS_MAX = 120_000;

/** Defines the test. FAIRLEAD_E2E_KEEP=1 in the environment keeps evidence of good ones too. */
export function story(
  name: string,
  options: StageOptions,
  tell: (stage: Stage) => Promise<void>,
): void {
  void test(name, async (context) => {
    await using stage = await createStage(options);
    try {
      await within(STORY_MS_MAX, tell(stage));
      if (process.env["FAIRLEAD_E2E_KEEP"] === "1") context.diagnostic(await keepEvidence(stage));
      await endStory(stage);
    } catch (error) {
      const evidence = await keepEvidence(stage);
      throw new Error(`${describeError(error)}\n${evidence}`, { cause: error });
    }
  });
}

/** The runner's own time limit would leave the stage behind; this one lets it be cleared away. */
async function within(ms: number, work: Promise<void>): Promise<void> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`the story took longer than ${ms} ms`)), ms);
  try {
    await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
  }
}
