// Reading ahead on the fake clock, over a store that is played by hand.

import assert from "node:assert/strict";
import { test } from "node:test";

import { createFakeClock } from "@fairlead/runtime";

import { createReadingAhead } from "./reading-ahead.ts";

test("a standby reads ahead at once, again and again, and no more once it leads", async () => {
  const clock = createFakeClock();
  let looks = 0;
  const readAhead = (): Promise<void> => {
    looks += 1;
    return looks === 2 ? Promise.reject(new Error("away")) : Promise.resolve();
  };
  const reading = createReadingAhead({ clock, store: { readAhead } });
  await clock.advance(10_000);
  assert.equal(looks, 0, "it has not begun");
  reading.begin();
  await clock.advance(9000);
  assert.equal(looks, 4, "also after one that failed");
  reading.end();
  assert.equal(clock.pendingTimers(), 0);
  await clock.advance(10_000);
  assert.equal(looks, 4);
  reading.begin();
  await clock.settle();
  assert.equal(looks, 5);
  reading.end();
});

test("a look that is under way when the lead is won has no further one", async () => {
  const clock = createFakeClock();
  const { promise: answered, resolve: answer } = Promise.withResolvers<void>();
  const reading = createReadingAhead({ clock, store: { readAhead: () => answered } });
  reading.begin();
  reading.end();
  answer();
  await clock.settle();
  assert.equal(clock.pendingTimers(), 0);
});

test("a store that cannot read ahead costs nothing", async () => {
  const clock = createFakeClock();
  const reading = createReadingAhead({ clock, store: {} });
  reading.begin();
  await clock.settle();
  assert.equal(clock.pendingTimers(), 0);
});
