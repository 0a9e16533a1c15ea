// What may stand in a configuration file, and what is a bug of ours: every character that one of
// the two languages reads as more than a word.

import assert from "node:assert/strict";
import { test } from "node:test";
import { AssertionFailure } from "@fairlead/model";
import { assertTokens, isToken } from "./guard.ts";

const good = [
  "eth0",
  "eth1.100",
  "lane-192.0.2.0-24-51",
  "192.0.2.1",
  "192.0.2.1/32",
  "192.0.2.1:80",
  "2001:db8::1",
  "::",
  "2001:db8::1/128",
  "[2001:db8::1]:443",
  "0.10",
  "65535",
  "remote_addr",
  "stderr",
  "/run/fairlead/nginx/generation.sock",
  "/usr/lib/nginx/modules/ngx_stream_module.so",
  "/run/..hidden",
];
for (const text of good) test(`${text} may stand in a file`, () => assert.ok(isToken(text)));

test("of all characters none but those of words, addresses and paths may stand in a file", () => {
  const may = new Set<number>();
  for (let code = 0; code <= 0x10ffff; code += 1) {
    const one = String.fromCodePoint(code);
    const texts = [one, `a${one}`, `${one}a`, `a${one}b`, `1${one}1`, `/a${one}b`, `fd00:${one}:1`];
    if (texts.some((text) => isToken(text))) may.add(code);
  }
  const expected = Array.from(
    "-./0123456789:ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz",
    (one) => one.charCodeAt(0),
  );
  assert.deepEqual([...may], expected);
});

const bad = [
  "",
  " ",
  "a b",
  "a\nb",
  "a;",
  "a{",
  "}",
  '"a"',
  "'a'",
  "a\\",
  "$remote_addr",
  "#a",
  "a\0b",
  "ä",
  "-D",
  "/",
  "/run/",
  "/run//a",
  "/run/./a",
  "/run/../etc/shadow",
  "run/a",
  "/run/a b",
  "/run/a;",
  "eth0;",
  "2001:DB8::1",
  "fe80::1%eth0",
  "192.0.2.1:80;",
  "192.0.2.1/32 dev eth0",
  "unix:/run/a",
  "eth0\n",
  `/${"a".repeat(1024)}`,
  "a".repeat(129),
];
for (const text of bad) {
  test(`${JSON.stringify(text.slice(0, 40))} may not`, () => assert.ok(!isToken(text)));
}

const strangers: readonly { readonly name: string; readonly view: unknown }[] = [
  { name: "a bad string deep inside", view: { a: [{ b: ["ok", "no;"] }] } },
  { name: "a fraction", view: { a: 0.5 } },
  { name: "a negative number", view: [-1] },
  { name: "not a number", view: [Number.NaN] },
  { name: "a function", view: { a: () => "x" } },
  { name: "null", view: { a: null } },
  { name: "undefined", view: { a: undefined } },
  { name: "a boolean", view: { a: true } },
];
for (const { name, view } of strangers) {
  test(`a view with ${name} is a bug`, () => {
    assert.throws(() => assertTokens(view), AssertionFailure);
  });
}

test("a view of tokens passes", () => {
  assertTokens({ list: ["eth0", 1, { deep: "192.0.2.1/32" }], none: [] });
});
