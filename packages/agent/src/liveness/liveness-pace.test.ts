// How soon the daemons are looked at again. A played nginx on the fake clock; what is written down
// is how long each look was put off.

import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { type Clock, createFakeClock, createLogger } from "@fairlead/runtime";

import { NOTHING_APPLIED } from "../applied.ts";
import { dataPlaneLayout } from "../data-plane-layout.ts";
import { createLiveness } from "./liveness.ts";
import { createTrackFiles } from "./track-files.ts";

const GENERATION = "0123456789abcdef";

test("daemons are looked at each 200 ms, and each 50 ms while nginx owes an answer", async () => {
  const runDir = await mkdtemp(join(tmpdir(), "fairlead-liveness-"));
  const layout = dataPlaneLayout(runDir);
  const fake = createFakeClock();
  const waits: number[] = [];
  const setTimer: Clock["setTimer"] = (delayMs, run) => {
    waits.push(delayMs);
    return fake.setTimer(delayMs, run);
  };
  let answers = true;
  const applied = { ...NOTHING_APPLIED, generation: GENERATION };
  const generation = (): Promise<string> =>
    answers ? Promise.resolve(GENERATION) : new Promise(() => undefined);
  {
    await using _ = createLiveness({
      layout,
      clock: { ...fake, setTimer },
      log: createLogger({ level: "silent", format: "text" }),
      nginx: { generation },
      nginxUdp: { generation },
      files: createTrackFiles(layout),
      view: () => ({ wanted: undefined, applied, look: undefined }),
    });
    await fake.advance(1000);
    assert.deepEqual(waits.splice(0), [200, 200, 200, 200, 200, 200]);
    answers = false;
    // It is asked, and owes the answer when it is looked at next.
    await fake.advance(400);
    assert.deepEqual(waits.splice(0), [200, 50]);
    await fake.advance(150);
    assert.deepEqual(waits.splice(0), [50, 50, 50]);
  }
  await rm(runDir, { recursive: true, force: true });
});
