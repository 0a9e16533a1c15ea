// The real clock: that it waits, that a wait can be given up, and that long delays do not fire at
// once.

import assert from "node:assert";
import { test } from "node:test";
import { createSystemClock } from "./clock.ts";

test("a sleep on the real clock takes about as long as asked", async () => {
  const clock = createSystemClock();
  const startMs = clock.nowMs();
  await clock.sleep(20);
  assert(clock.nowMs() - startMs >= 18);
});

test("a sleep that is given up rejects with the reason", async () => {
  const clock = createSystemClock();
  const abort = new AbortController();
  const sleeping = clock.sleep(60_000, abort.signal);
  abort.abort(new Error("shutting down"));
  await assert.rejects(sleeping, /shutting down/u);
});

test("a sleep under an aborted signal rejects at once, whatever the reason is", async () => {
  const clock = createSystemClock();
  await assert.rejects(clock.sleep(60_000, AbortSignal.abort("bored")), /aborted/u);
});

test("a delay beyond what Node's timers hold does not fire at once", async () => {
  const clock = createSystemClock();
  let fired = false;
  const timer = clock.setTimer(40 * 86_400_000, () => {
    fired = true;
  });
  await clock.sleep(10);
  timer.cancel();
  assert.equal(fired, false);
});

test("a cancelled timer does not run, and cancelling twice is harmless", async () => {
  const clock = createSystemClock();
  let fired = false;
  const timer = clock.setTimer(1, () => {
    fired = true;
  });
  timer.cancel();
  timer.cancel();
  await clock.sleep(10);
  assert.equal(fired, false);
});
