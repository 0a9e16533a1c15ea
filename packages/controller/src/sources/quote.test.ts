// User text in details: one line, one pair of quotes, bounded.

import assert from "node:assert/strict";
import { test } from "node:test";

import { quote, quoteList, title } from "./quote.ts";

const cases: readonly { readonly name: string; readonly text: string; readonly want: string }[] = [
  { name: "plain text stands in quotes", text: "web", want: '"web"' },
  { name: "a quote is escaped", text: 'a"b', want: String.raw`"a\"b"` },
  { name: "a backslash is escaped", text: "a\\n", want: String.raw`"a\\n"` },
  { name: "a newline and a NUL are escaped", text: "a\nb\0", want: String.raw`"a\nb\u0000"` },
  { name: "an ANSI escape is harmless", text: "\u001b[31m", want: String.raw`"\u001b[31m"` },
  { name: "text that runs backwards is shown as it is", text: "\u202e", want: '"\\u202e"' },
  { name: "a long text is cut", text: "x".repeat(101), want: `"${"x".repeat(100)}"...` },
  {
    name: "half a character at the cut is escaped",
    text: `${"x".repeat(99)}😀`,
    want: `"${"x".repeat(99)}\\ud83d"...`,
  },
];

for (const c of cases) test(c.name, () => assert.equal(quote(c.text), c.want));

test("of many texts five are shown", () => {
  assert.equal(
    quoteList(["a", "b", "c", "d", "e", "f", "g"]),
    '"a", "b", "c", "d", "e" and 2 more',
  );
  assert.equal(quoteList([]), "");
});

test("a title is one line of at most 300 characters", () => {
  assert.equal(title("apps/we\nb.yaml"), String.raw`apps/we\nb.yaml`);
  assert.equal(title("x".repeat(400)).length, 300);
});
