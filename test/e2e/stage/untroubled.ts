// What comes after trouble with an API server: nothing is amiss any more, and whoever was served
// has noticed nothing. Given the stage and what a probe saw.

import assert from "node:assert/strict";

import type { ProbeResult } from "@fairlead/lab";

import type { Stage } from "./stage.ts";

/** The longest wait between two tries of the controller, and some time for the try, in ms. */
export const AGAIN_MS_MAX = 35_000;

/** Waits until the controller names no trouble any more. */
export async function untilWell(stage: Stage): Promise<void> {
  await stage.until(
    "no trouble is named any more",
    ({ findings }) => (findings.length === 0 ? true : undefined),
    AGAIN_MS_MAX,
  );
}

/** Every request was answered. */
export function nobodyNoticed({ allTries, longestPauseMs, longestSilence }: ProbeResult): void {
  const failed = allTries.filter(({ member }) => member === undefined);
  const seen = { failed, longestPauseMs, longestSilence };
  assert.equal(failed.length, 0, JSON.stringify(seen, undefined, 1));
}
