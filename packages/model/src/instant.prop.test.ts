// Points in time against the platform's calendar, which the model does without.

import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";

import { instantText } from "./instant.ts";

const cases = [
  { ms: 0, text: "1970-01-01T00:00:00Z" },
  { ms: 1_000_000, text: "1970-01-01T00:16:40Z" },
  { ms: 951_782_400_000, text: "2000-02-29T00:00:00Z" },
  { ms: 1_795_836_554_999, text: "2026-11-28T03:29:14Z" },
  { ms: 4_107_542_399_000, text: "2100-02-28T23:59:59Z" },
  { ms: 4_107_542_400_000, text: "2100-03-01T00:00:00Z" },
];

for (const { ms, text } of cases) {
  test(`${ms} is ${text}`, () => assert.equal(instantText(ms), text));
}

/** The last one with a year of four digits. */
const INSTANT_MAX = Date.UTC(10_000, 0, 1) - 1;

test("every instant is what the platform says, to the second", () => {
  const property = fc.property(fc.double({ min: 0, max: INSTANT_MAX, noNaN: true }), (ms) => {
    const wanted = new Date(Math.floor(ms)).toISOString().replace(/\.\d+Z$/u, "Z");
    assert.equal(instantText(ms), wanted);
  });
  fc.assert(property, { numRuns: 2000 });
});
