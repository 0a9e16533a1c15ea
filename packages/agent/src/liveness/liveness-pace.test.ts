// How soon the daemons are looked at again. A played nginx on the fake clock; what is written down
// is how long each look was put off.

import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";

import { type Clock, createFakeClock, createLogger } from "@fairlead/runtime";

import { NOTHING_APPLIED } from "../applied.ts";
import { dataPlaneLayout } from "../data-plane-layout.ts";
import { createLiveness } from "./liveness.ts";
import { createDownFile, createTrackFiles } from "./track-files.ts";

const GENERATION = "0123456789abcdef";

/** A refusal comes between two looks. */
const REFUSAL_MS = 5;

/** What the played nginx does with a question. */
type Manner = "answers" | "refuses" | "owes";

async function watched(
  tell: (stage: {
    readonly behave: (manner: Manner) => void;
    /** The waits that were begun while so much time passed, in ms. */
    readonly waitsOf: (ms: number) => Promise<readonly number[]>;
    readonly isDown: () => boolean;
  }) => Promise<void>,
): Promise<void> {
  const runDir = await mkdtemp(join(tmpdir(), "fairlead-liveness-"));
  const layout = dataPlaneLayout(runDir);
  await mkdir(layout.keepalived.trackDir, { recursive: true });
  const fake = createFakeClock();
  const waits: number[] = [];
  const setTimer: Clock["setTimer"] = (delayMs, run) => {
    waits.push(delayMs);
    return fake.setTimer(delayMs, run);
  };
  let manner: Manner = "answers";
  const applied = { ...NOTHING_APPLIED, generation: GENERATION };
  const generation = (): Promise<string | undefined> => {
    if (manner === "owes") return new Promise(() => undefined);
    if (manner === "answers") return Promise.resolve(GENERATION);
    return new Promise((resolve) => fake.setTimer(REFUSAL_MS, () => resolve(undefined)));
  };
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
    await tell({
      behave: (next) => (manner = next),
      waitsOf: async (ms) => {
        waits.length = 0;
        await fake.advance(ms);
        return [...waits];
      },
      isDown: () => createDownFile(layout.keepalived.dataPath).isDown(),
    });
  }
  await rm(runDir, { recursive: true, force: true });
}

test("daemons are looked at each 200 ms, and each 50 ms while nginx owes an answer", () =>
  watched(async ({ behave, waitsOf }) => {
    assert.deepEqual(await waitsOf(1000), [200, 200, 200, 200, 200]);
    behave("owes");
    // It is asked, and owes the answer when it is looked at next.
    assert.deepEqual(await waitsOf(400), [200, 50]);
    assert.deepEqual(await waitsOf(150), [50, 50, 50]);
  }));

test("what nginx refuses is made sure of at once, and not at the next calm look", () =>
  watched(async ({ behave, waitsOf, isDown }) => {
    await waitsOf(1000);
    behave("refuses");
    assert.deepEqual(
      await waitsOf(200 + REFUSAL_MS),
      [200, 50],
      "the first cuts a calm wait short",
    );
    assert.deepEqual(await waitsOf(100 + REFUSAL_MS), [50, 50, 50]);
    assert.equal(isDown(), false);
    await waitsOf(50);
    // The file is a real one, which the clock does not wait for.
    while (!isDown()) await setImmediate();
  }));
