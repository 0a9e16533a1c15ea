// The fake clock: order of timers, chains of work between them, and stopping at an event.

import assert from "node:assert";
import { test } from "node:test";
import { createFakeClock } from "./fake-clock.ts";

test("timers run by due time, those of the same time in the order they were set", async () => {
  const clock = createFakeClock();
  const ran: string[] = [];
  clock.setTimer(20, () => ran.push(`late at ${clock.nowMs()}`));
  clock.setTimer(10, () => ran.push(`first at ${clock.nowMs()}`));
  clock.setTimer(10, () => ran.push(`second at ${clock.nowMs()}`));
  clock.setTimer(31, () => ran.push("too late"));
  await clock.advance(30);
  assert.deepEqual(ran, ["first at 10", "second at 10", "late at 20"]);
  assert.equal(clock.nowMs(), 30);
  assert.equal(clock.pendingTimers(), 1);
});

test("a loop that sleeps keeps its own time while a minute passes", async () => {
  const clock = createFakeClock();
  const ticks: number[] = [];
  const loop = async (): Promise<void> => {
    for (let tick = 0; tick < 3; tick += 1) {
      await clock.sleep(1_000);
      ticks.push(clock.nowMs());
    }
  };
  void loop();
  await clock.advance(60_000);
  assert.deepEqual(ticks, [1_000, 2_000, 3_000]);
});

test("a timer cancelled by an earlier one does not run", async () => {
  const clock = createFakeClock();
  let ran = false;
  const later = clock.setTimer(2, () => {
    ran = true;
  });
  clock.setTimer(1, () => later.cancel());
  await clock.advance(5);
  assert.equal(ran, false);
});

test("wall time starts where the test says and moves with the clock", async () => {
  const clock = createFakeClock({ wallMs: 1_000 });
  await clock.advance(5);
  assert.equal(clock.wallMs(), 1_005);
});

test("time stops at the event that a test waits for", async () => {
  const clock = createFakeClock();
  let served = false;
  void clock.sleep(300).then(() => {
    served = true;
  });
  assert.equal(await clock.advanceUntil(() => served, 10_000), true);
  assert.equal(clock.nowMs(), 300);
});

test("an event that never comes is reported when the limit is reached", async () => {
  const clock = createFakeClock();
  assert.equal(await clock.advanceUntil(() => false, 500), false);
  assert.equal(clock.nowMs(), 500);
});

test("two advances at once are a mistake of the test", async () => {
  const clock = createFakeClock();
  const first = clock.advance(1);
  await assert.rejects(clock.advance(1), /one advance at a time/u);
  await first;
});
