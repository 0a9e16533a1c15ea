// Lengths of time as people write them.

import assert from "node:assert";
import { test } from "node:test";
import fc from "fast-check";
import { formatDuration, parseDuration } from "./duration.ts";

const cases = [
  { text: "500ms", want: 500 },
  { text: "10s", want: 10_000 },
  { text: "1m30s", want: 90_000 },
  { text: "2h", want: 7_200_000 },
  { text: "7d", want: 604_800_000 },
  { text: "1s5ms", want: 1_005 },
  { text: "5m7ms", want: 300_007 },
  { text: "0", want: 0 },
  { text: "0s", want: 0 },
  { text: "5", want: undefined },
  { text: "", want: undefined },
  { text: "-5s", want: undefined },
  { text: "1.5s", want: undefined },
  { text: "30s1m", want: undefined },
  { text: "1s1s", want: undefined },
  { text: "5 s", want: undefined },
  { text: "5s\n", want: undefined },
  { text: "5w", want: undefined },
  { text: "999999999999d", want: undefined },
] as const;

for (const c of cases) {
  test(`${JSON.stringify(c.text)} is ${c.want ?? "refused"}`, () => {
    assert.equal(parseDuration(c.text), c.want);
  });
}

test("what is written can be read back", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 3_650 * 86_400_000 }), (ms) => {
      assert.equal(parseDuration(formatDuration(ms)), ms);
    }),
  );
});
