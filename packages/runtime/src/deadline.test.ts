// Deadlines, on the fake clock.

import assert from "node:assert";
import { test } from "node:test";
import { withDeadline } from "./deadline.ts";
import { isEdgeError } from "./errors.ts";
import { createFakeClock } from "./fake-clock.ts";

test("work that hangs is given up at the deadline", async () => {
  const clock = createFakeClock();
  const hanging = withDeadline(new Promise(() => undefined), 500, clock, "reload of nginx");
  const rejected = assert.rejects(hanging, (error) => {
    assert(isEdgeError(error, "DEADLINE"));
    assert.equal(error.message, "reload of nginx took longer than 500 ms");
    return error.retryable;
  });
  await clock.advance(500);
  await rejected;
});

test("work that ends in time gives its value and leaves no timer", async () => {
  const clock = createFakeClock();
  assert.equal(await withDeadline(Promise.resolve(7), 500, clock, "a read"), 7);
  assert.equal(clock.pendingTimers(), 0);
});

test("work that fails gives its own error", async () => {
  const clock = createFakeClock();
  const failing = Promise.reject(new Error("no route"));
  await assert.rejects(withDeadline(failing, 500, clock, "a call"), /no route/u);
});
