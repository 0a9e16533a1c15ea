// What is made of the same parts is made once, and of others anew.

import assert from "node:assert/strict";
import { test } from "node:test";

import { remembered } from "./remembered.ts";

test("the very same parts give the very same result, others and equal ones a new one", () => {
  const pair = remembered((one: object, other: object) => ({ one, other }));
  const [a, b] = [{}, {}];
  const first = pair(a, b);
  assert.equal(pair(a, b), first);
  assert.notEqual(pair(a, a), first);
  const again = pair(a, b);
  assert.notEqual(again, first, "one result is remembered, and not all");
  assert.deepEqual(pair({}, b), again);
  assert.notEqual(pair({}, b), again);
});

test("a function that failed is asked again", () => {
  let count = 0;
  const risky = remembered((isGood: boolean) => {
    count += 1;
    if (!isGood || count < 2) throw new Error("not yet");
    return count;
  });
  assert.throws(() => risky(true));
  assert.equal(risky(true), 2);
  assert.equal(risky(true), 2);
});
