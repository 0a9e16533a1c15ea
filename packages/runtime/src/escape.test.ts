// Texts that try to break out of a line.

import assert from "node:assert";
import { test } from "node:test";
import fc from "fast-check";
import { escapeBounded, escapeControls } from "./escape.ts";

const cases = [
  { name: "plain text stays", text: 'web "1" \\ äöü 漢 😀', want: 'web "1" \\ äöü 漢 😀' },
  { name: "line ends and tabs", text: "a\r\n\tb", want: "a\\r\\n\\tb" },
  { name: "an ANSI escape", text: "\u001b[31mred", want: "\\u001b[31mred" },
  { name: "the eight-bit form of it", text: "\u009b31m", want: "\\u009b31m" },
  { name: "NUL and DEL", text: "\u0000\u007f", want: "\\u0000\\u007f" },
  { name: "text that runs backwards", text: "a\u202eb", want: "a\\u202eb" },
  { name: "separators of lines", text: "a\u2028b", want: "a\\u2028b" },
  { name: "half a pair", text: "a\ud800b", want: "a\\ud800b" },
] as const;

for (const c of cases) test(c.name, () => assert.equal(escapeControls(c.text), c.want));

test("whatever comes in, one bounded line goes out", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: "binary", maxLength: 60 }),
      fc.integer({ min: 3, max: 50 }),
      (text, max) => {
        const escaped = escapeBounded(text, max);
        assert(escaped.length <= max);
        assert(!/[\p{Cc}\p{Zl}\p{Zp}]/u.test(escaped));
      },
    ),
  );
});

test("a cut is marked", () => {
  assert.equal(escapeBounded("abcdefgh", 6), "abc...");
  assert.equal(escapeBounded("abcdef", 6), "abcdef");
});
