// Ranges and prefixes: what is read, what is refused and in which words, and what lies within.

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  networkOf,
  networkText,
  parseAddress,
  parsePrefix,
  parseRange,
  present,
  rangeContains,
  rangeSize,
  rangeText,
  rangesOverlap,
} from "./index.ts";
import type { AddressRange, Prefix } from "./index.ts";

function range(text: string): AddressRange {
  const parsed = parseRange(text);
  assert.ok(parsed.kind === "ok", text);
  return parsed.value;
}

function prefix(text: string): Prefix {
  const parsed = parsePrefix(text);
  assert.ok(parsed.kind === "ok", text);
  return parsed.value;
}

const ranges: readonly (readonly [string, string, bigint])[] = [
  ["192.0.2.10-192.0.2.50", "192.0.2.10-192.0.2.50", 41n],
  [" 192.0.2.10 - 192.0.2.50 ", "192.0.2.10-192.0.2.50", 41n],
  ["192.0.2.10", "192.0.2.10", 1n],
  ["192.0.2.0/24", "192.0.2.0-192.0.2.255", 256n],
  ["192.0.2.7/32", "192.0.2.7", 1n],
  ["0.0.0.0/0", "0.0.0.0-255.255.255.255", 2n ** 32n],
  ["2001:db8::/64", "2001:db8::-2001:db8::ffff:ffff:ffff:ffff", 2n ** 64n],
  ["2001:db8::1-2001:db8::f", "2001:db8::1-2001:db8::f", 15n],
];

for (const [text, expected, size] of ranges) {
  test(`${text} is ${expected}`, () => {
    assert.equal(rangeText(range(text)), expected);
    assert.equal(rangeSize(range(text)), size);
  });
}

const bad: readonly (readonly [string, RegExp])[] = [
  ["", /not an address/],
  ["web", /not an address/],
  ["192.0.2.50-192.0.2.10", /first address is above/],
  ["192.0.2.1-2001:db8::1", /one family/],
  ["192.0.2.1-192.0.2.5-192.0.2.9", /one dash/],
  ["192.0.2.7/24", /the network is 192\.0\.2\.0\/24/],
  ["192.0.2.0/33", /prefix length/],
  ["192.0.2.0/024", /prefix length/],
  ["192.0.2.0/", /prefix length/],
  ["192.0.2.0/24/24", /prefix length/],
  ["2001:db8::/129", /prefix length/],
  ["/24", /not an address/],
];

for (const [text, problem] of bad) {
  test(`${JSON.stringify(text)} is refused in words`, () => {
    const parsed = parseRange(text);
    assert.ok(parsed.kind === "bad");
    assert.match(parsed.problem, problem);
  });
}

test("a link's prefix keeps its host bits and names its network", () => {
  const own = prefix("192.0.2.11/24");
  assert.deepEqual([own.address, own.length], ["192.0.2.11", 24]);
  assert.equal(networkText(own), "192.0.2.0/24");
  assert.equal(networkText(prefix("2001:db8::1/64")), "2001:db8::/64");
  assert.equal(rangeText(networkOf(prefix("192.0.2.130/25"))), "192.0.2.128-192.0.2.255");
});

test("what lies within a range", () => {
  const pool = range("192.0.2.10-192.0.2.20");
  const inside = ["192.0.2.9", "192.0.2.10", "192.0.2.20", "192.0.2.21", "::"].map((text) =>
    rangeContains(pool, present(parseAddress(text), text)),
  );
  assert.deepEqual(inside, [false, true, true, false, false]);
});

test("which ranges share an address", () => {
  const pool = range("192.0.2.10-192.0.2.20");
  const others = ["192.0.2.1-192.0.2.9", "192.0.2.20-192.0.2.30", "192.0.2.0/24", "2001:db8::/32"];
  const shared = others.map((text) => rangesOverlap(pool, range(text)));
  assert.deepEqual(shared, [false, true, true, false]);
});
