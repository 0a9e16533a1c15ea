// How late the event loop is, as a timer of its own tells, and the timers of a program's clock.

import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";

import { createSystemClock } from "./clock.ts";
import { createTimerDelay, watchLoopDelay } from "./loop-delay.ts";

/** Keeps the loop busy, and gives for how long it was. */
function block(ms: number): number {
  const begunMs = performance.now();
  while (performance.now() - begunMs < ms);
  return performance.now() - begunMs;
}

const LOOK_MS = 5;

for (const ms of [30, 50, 70]) {
  test(`a block of ${ms} ms was told as up to 20 ms less where it began after a tick`, async () => {
    using delay = watchLoopDelay(LOOK_MS);
    const toldTooMuch: number[] = [];
    for (let phaseMs = 0; phaseMs < 2 * LOOK_MS; phaseMs += 1) {
      // Timers run at whole milliseconds: the block begins so long after a look.
      await wait(4 * LOOK_MS + phaseMs);
      delay.take();
      await wait(4 * LOOK_MS + phaseMs);
      const realMs = block(ms);
      await wait(2 * LOOK_MS);
      const toldMs = 1000 * delay.take().max;
      assert.ok(toldMs >= realMs - LOOK_MS - 0.5, `${realMs} ms were told as ${toldMs} ms`);
      toldTooMuch.push(toldMs - realMs);
    }
    // Others have the machine as well: then the loop waits longer than for its own work.
    assert.ok(Math.min(...toldTooMuch) <= 1, toldTooMuch.join());
  });
}

test("a block that ended just before the page was read was never told", async () => {
  using delay = watchLoopDelay(LOOK_MS);
  await wait(2 * LOOK_MS);
  delay.take();
  block(50);
  const { max } = delay.take();
  assert.ok(max >= 0.044, `${max} s`);
  const after = delay.take();
  assert.ok(after.max < max, "what was told is told no more");
});

test("a block that began just after the page was read was never told", async () => {
  using delay = watchLoopDelay(LOOK_MS);
  await wait(10 * LOOK_MS);
  delay.take();
  block(50);
  await wait(2 * LOOK_MS);
  const { max } = delay.take();
  assert.ok(max >= 0.044, `${max} s`);
});

test("a loop that was busy is as late as the timers that waited for it, until that is read", async () => {
  using delay = createTimerDelay();
  const clock = createSystemClock((lateMs) => delay.add(lateMs));
  const due = clock.sleep(20);
  const endMs = performance.now() + 300;
  while (performance.now() < endMs);
  await due;
  const { p50, max } = delay.take();
  assert.ok(max >= 0.25 && max < 5, `${max} s`);
  assert.ok(Math.abs(p50 - max) < 0.01, "of one timer all percentiles are the same");
  assert.deepEqual(delay.take(), { p50: 0, p99: 0, max: 0 });
});

test("a timer that runs a little early is not late", () => {
  using delay = createTimerDelay();
  delay.add(-0.4);
  const { max } = delay.take();
  assert.ok(max < 0.001, `${max} s`);
});
