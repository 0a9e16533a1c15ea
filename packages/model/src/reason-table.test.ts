// The table of reasons: every code once, every sentence a sentence.

import assert from "node:assert/strict";
import { test } from "node:test";

import { REASONS, isReason } from "./index.ts";

test("codes are FL and four digits, none twice", () => {
  const codes = Object.values(REASONS).map(({ code }) => code);
  assert.equal(new Set(codes).size, codes.length);
  for (const code of codes) assert.match(code, /^FL\d{4}$/);
});

for (const [reason, { title, remedy }] of Object.entries(REASONS)) {
  test(`${reason} is explained in sentences`, () => {
    for (const text of [title, remedy]) assert.match(text, /^[A-Za-z].*\.$/);
    assert.ok(title.length <= 100, title);
  });
}

test("only names of the table are reasons", () => {
  assert.deepEqual(["PoolExhausted", "poolexhausted", "toString", ""].map(isReason), [
    true,
    false,
    false,
    false,
  ]);
});
