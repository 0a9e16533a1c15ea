// How long a host rests that had no time for its nginx.

import assert from "node:assert/strict";
import { test } from "node:test";

import { RETRY_MS, RETRY_MS_MAX } from "./converge-times.ts";
import { retryMsOf, type Undecided, undecided } from "./undecided.ts";

const REMARK = { reason: "DataPlaneDown", detail: "it had no time" } as const;

test("what failed is tried again after a while, and after longer where tries are a burden", () => {
  let last: Undecided | undefined;
  const slow = Array.from({ length: 8 }, () => {
    last = undecided(last, "0123456789abcdef", REMARK, 1000);
    return last.untilMs - 1000;
  });
  assert.deepEqual(slow.slice(0, 3), [RETRY_MS, 2 * RETRY_MS, 4 * RETRY_MS]);
  assert.equal(slow.at(-1), RETRY_MS_MAX);
});

test("what else failed waits for no nginx, and a file that is due for nothing", () => {
  assert.equal(retryMsOf([], 1000), RETRY_MS);
  const first = undecided(undefined, "0123456789abcdef", REMARK, 0);
  const second = undecided(first, "fedcba9876543210", REMARK, 0);
  assert.equal(retryMsOf([second, first], 1000), RETRY_MS - 1000);
  assert.equal(retryMsOf([second], 1000), RETRY_MS);
  assert.equal(retryMsOf([first], RETRY_MS + 1), 0);
});
