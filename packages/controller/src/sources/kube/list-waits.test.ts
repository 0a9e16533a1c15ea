// How long it is waited before a cluster is asked again: from half a second to half a minute, with
// full jitter in between, and never less than the server asks for.

import assert from "node:assert/strict";
import { test } from "node:test";

import { KubeError } from "../../kube/kube-errors.ts";
import { createListWaits, type ListWaits } from "./list-waits.ts";

const AWAY = new KubeError({ code: "UNREACHABLE", message: "connection refused" });
const UNKNOWN = new KubeError({ code: "NOT_FOUND", message: "the server knows no such kind" });
/** What `Math.random` gives at the most, as far as rounded milliseconds show. */
const NEAR_1 = 1 - 2 ** -53;

function busy(retryAfterMs: number): KubeError {
  return new KubeError({ code: "THROTTLED", message: "too many requests", retryAfterMs });
}

/** The next waits after the same failure each, in whole ms. */
function rounded(waits: ListWaits, failure: unknown, count: number): readonly number[] {
  return Array.from({ length: count }, () => Math.round(waits.nextMs(failure)));
}

test("who is unlucky waits twice as long after each failure, and never over half a minute", () => {
  const waits = createListWaits({ random: () => NEAR_1 });
  const longest = [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000];
  assert.deepEqual(rounded(waits, AWAY, longest.length), longest);
});

test("who is lucky waits half a second, however often it failed: no server is stormed", () => {
  const waits = createListWaits({ random: () => 0 });
  assert.deepEqual(
    rounded(waits, AWAY, 10),
    Array.from({ length: 10 }, () => 500),
  );
});

test("all between is as likely: a thousand that failed together come back apart", () => {
  let draw = 0;
  const waits = createListWaits({ random: () => draw });
  rounded(waits, AWAY, 5);
  const seen: number[] = [];
  for (draw = 0.05; draw < 1; draw += 0.1) seen.push(...rounded(waits, AWAY, 1));
  assert.deepEqual(
    seen,
    [1500, 4500, 7500, 10_500, 13_500, 16_500, 19_500, 22_500, 25_500, 28_500],
  );
});

test("after a watch that lasted the waits start over", () => {
  const waits = createListWaits({ random: () => NEAR_1, unknownMsMax: 300_000 });
  rounded(waits, AWAY, 6);
  rounded(waits, UNKNOWN, 6);
  rounded(waits, busy(0), 6);
  waits.reset();
  assert.deepEqual(rounded(waits, AWAY, 2), [1000, 2000]);
  assert.deepEqual(rounded(waits, UNKNOWN, 2), [1000, 2000]);
  assert.deepEqual(rounded(waits, busy(0), 2), [1000, 2000]);
});

test("a server that ended a watch before its time is asked again as after a failure", () => {
  const waits = createListWaits({ random: () => NEAR_1 });
  assert.deepEqual(rounded(waits, undefined, 2), [1000, 2000]);
});

test("a server that asks to be left alone is, also for longer than we would wait", () => {
  const waits = createListWaits({ random: () => 0 });
  assert.deepEqual(
    [busy(7000), busy(60_000), busy(100)].map((failure) => waits.nextMs(failure)),
    [7000, 60_000, 500],
  );
});

test("what the server asks for shortens no wait that is longer by itself", () => {
  const waits = createListWaits({ random: () => NEAR_1 });
  rounded(waits, busy(1000), 4);
  assert.deepEqual(rounded(waits, busy(1000), 1), [16_000]);
});

test("a server that starts is asked again in a second, however long it was away", () => {
  const waits = createListWaits({ random: () => NEAR_1 });
  rounded(waits, AWAY, 8);
  const unready = new KubeError({ code: "FORBIDDEN", message: "its roles are not read yet" });
  assert.deepEqual(
    [busy(1000), unready, busy(0)].flatMap((failure) => rounded(waits, failure, 1)),
    [1000, 2000, 4000],
  );
  assert.deepEqual(rounded(waits, AWAY, 1), [30_000]);
});

test("a kind that the server does not know is asked for more seldom, and nothing else is", () => {
  const waits = createListWaits({ random: () => NEAR_1, unknownMsMax: 300_000 });
  assert.deepEqual(rounded(waits, UNKNOWN, 10).slice(-3), [128_000, 256_000, 300_000]);
  assert.deepEqual(rounded(waits, AWAY, 6).slice(-2), [16_000, 30_000]);
});
