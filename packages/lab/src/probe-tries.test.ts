// Silences as a client would tell them.

import assert from "node:assert/strict";
import { test } from "node:test";
import { formatTry, parseTry, summarizeTries, type Try } from "./probe-tries.ts";

const answer = (atMs: number, tookMs = 1, member = "a"): Try => ({ atMs, tookMs, member });
const failure = (atMs: number): Try => ({ atMs, tookMs: 250, member: undefined });

const CASES: readonly {
  readonly name: string;
  readonly tries: readonly Try[];
  readonly silenceMs: number | undefined;
}[] = [
  { name: "no tries", tries: [], silenceMs: undefined },
  { name: "one answer is no silence", tries: [answer(0)], silenceMs: undefined },
  { name: "steady answers", tries: [answer(0), answer(5), answer(10)], silenceMs: 5 },
  {
    name: "failed tries last longer than the silence they were in",
    tries: [answer(0), failure(5), failure(10), answer(105), answer(110)],
    silenceMs: 105,
  },
  {
    name: "a slow answer ends where it arrives",
    tries: [answer(0), answer(5, 200), answer(10, 1)],
    silenceMs: 194,
  },
  { name: "order does not matter", tries: [answer(110), answer(0), answer(5)], silenceMs: 105 },
];

for (const c of CASES) {
  test(c.name, () => {
    assert.equal(summarizeTries(c.tries).longestSilence?.lengthMs, c.silenceMs);
  });
}

test("answers are counted by member, failures apart", () => {
  const seen = summarizeTries([answer(0), answer(5, 1, "b"), answer(10), failure(15)]);
  assert.deepEqual(
    [...seen.byMember],
    [
      ["a", 2],
      ["b", 1],
    ],
  );
  assert.equal(seen.failed, 1);
  assert.equal(seen.tries, 4);
});

test("a try is read back as it was written, and other lines are none", () => {
  for (const one of [answer(1_234.567, 0.25), failure(9)]) {
    assert.deepEqual(parseTry(formatTry(one)), one);
  }
  assert.equal(parseTry("started"), undefined);
});
