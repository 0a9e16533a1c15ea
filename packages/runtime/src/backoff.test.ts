// The ceilings of retries, with a random source that always gives the highest.

import assert from "node:assert";
import { test } from "node:test";
import { createBackoff } from "./backoff.ts";

test("ceilings double up to the maximum and start over after a success", () => {
  const backoff = createBackoff({ baseMs: 100, maxMs: 500, random: () => 1 });
  assert.deepEqual(
    [1, 2, 3, 4, 5].map(() => backoff.nextMs()),
    [100, 200, 400, 500, 500],
  );
  assert.equal(backoff.attempts(), 5);
  backoff.reset();
  assert.equal(backoff.attempts(), 0);
  assert.equal(backoff.nextMs(), 100);
});

test("the wait is anywhere between nothing and the ceiling", () => {
  let next = 0;
  const backoff = createBackoff({ baseMs: 100, maxMs: 100, random: () => next });
  assert.equal(backoff.nextMs(), 0);
  next = 0.25;
  assert.equal(backoff.nextMs(), 25);
});

test("a year of failures keeps the wait finite", () => {
  const backoff = createBackoff({ baseMs: 1, maxMs: 60_000, random: () => 1 });
  for (let attempt = 0; attempt < 5_000; attempt += 1) backoff.nextMs();
  assert.equal(backoff.nextMs(), 60_000);
});
