// Judges what a probing client saw: that none of its connections failed. Given what it saw when it
// was stopped.

import assert from "node:assert/strict";

import type { ProbeResult } from "@fairlead/lab";

/** Fails with each failed try: when it began, on the lab's clock, how long it took, and why. */
export function noneFailed(seen: ProbeResult, whom = "a client"): void {
  const failed = seen.allTries.filter(({ member }) => member === undefined);
  const told = failed.map(
    ({ atMs, tookMs, failure }) => `${failure} at ${atMs.toFixed(0)} after ${tookMs.toFixed(0)} ms`,
  );
  const pause = `the client paused for up to ${seen.longestPauseMs.toFixed(0)} ms`;
  const shown = told.slice(0, 20).join("\n");
  assert.equal(failed.length, 0, `${whom}: of ${seen.tries} connections; ${pause}:\n${shown}`);
}
