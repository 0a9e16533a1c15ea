// `fairlead run` on one host of a lab, and what its device shows. Given the host; it makes none.

import assert from "node:assert/strict";

import { type Host, monotonicMs, type RunningProgram } from "@fairlead/lab";

import { program } from "./stage.ts";

/** Where its Services come from. */
export const FOLDER = "/run/host/manifests";

const START_MS_MAX = 20_000;
const WAIT_MS_MAX = 20_000;

/** Starts it and waits until it serves. */
export async function startRun(host: Host, flags: readonly string[]): Promise<RunningProgram> {
  const running = await host.start(program("fairlead"), ["run", "--source", FOLDER, ...flags]);
  await running.waitForLine(/ serving /, START_MS_MAX);
  return running;
}

/** Looks until exactly this is shown, in this order. */
export async function untilShown(
  look: () => Promise<readonly string[]>,
  wanted: readonly string[],
): Promise<void> {
  const endMs = monotonicMs() + WAIT_MS_MAX;
  for (;;) {
    const now = await look();
    if (now.join() === wanted.join()) return;
    assert.ok(monotonicMs() < endMs, `${now.join()} instead of ${wanted.join()}`);
  }
}
