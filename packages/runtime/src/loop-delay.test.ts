// How late the event loop is, as the timers of a program's clock tell.

import assert from "node:assert/strict";
import { test } from "node:test";

import { createSystemClock } from "./clock.ts";
import { createTimerDelay } from "./loop-delay.ts";

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
