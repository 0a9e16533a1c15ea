// A new Service waits for its first slice, for a moment and no longer.

import assert from "node:assert/strict";
import { test } from "node:test";

import { createFakeClock } from "@fairlead/runtime";

import { createMemberWait, MEMBER_WAIT_MS } from "./member-wait.ts";

test("a Service is held back until its time is over, and whoever tells it is woken then", async () => {
  const clock = createFakeClock();
  let woken = 0;
  using wait = createMemberWait(clock, () => {
    woken += 1;
  });
  assert.equal(wait.holds("default/web"), true);
  await clock.advance(MEMBER_WAIT_MS - 1);
  assert.equal(wait.holds("default/web"), true);
  assert.equal(woken, 0);
  await clock.advance(1);
  assert.equal(woken, 1);
  assert.equal(wait.holds("default/web"), false);
});

test("one that came later has its own time, and one that got its members has none", async () => {
  const clock = createFakeClock();
  const held: boolean[] = [];
  using wait = createMemberWait(clock, () => {
    held.push(wait.holds("default/late"));
  });
  wait.holds("default/web");
  await clock.advance(60);
  wait.holds("default/late");
  wait.forget("default/web");
  await clock.advance(40);
  assert.deepEqual(held, [true]);
  await clock.advance(100);
  assert.deepEqual(held, [true, false]);
});
