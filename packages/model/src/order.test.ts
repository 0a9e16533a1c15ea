// The comparators: one order on every machine, and the same for any order of the input.

import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";

import {
  compareAddress,
  compareAge,
  compareBy,
  compareNumber,
  compareText,
  present,
  sortByAddress,
} from "./index.ts";
import { parseAddress } from "./index.ts";

const addresses = ["9.0.0.1", "10.0.0.2", "10.0.0.10", "::2", "2001:db8::9", "2001:db8::10"].map(
  (text) => present(parseAddress(text), text),
);

test("addresses go by number, IPv4 first", () => {
  fc.assert(
    fc.property(fc.shuffledSubarray(addresses, { minLength: 6 }), (shuffled) => {
      assert.deepEqual(shuffled.toSorted(compareAddress), addresses);
      const items = shuffled.map((address) => ({ address }));
      const sorted = sortByAddress(items, ({ address }) => address);
      assert.deepEqual(
        sorted.map(({ address }) => address),
        addresses,
      );
    }),
  );
});

test("text goes by code units, not by a locale", () => {
  assert.deepEqual(["b", "a", "B", "ä", "10", "9"].toSorted(compareText), [
    "10",
    "9",
    "B",
    "a",
    "b",
    "ä",
  ]);
});

test("who comes first: the oldest, then by id; without a time last", () => {
  const claims = [
    { id: "b", createdAtMs: 5 },
    { id: "d" },
    { id: "a", createdAtMs: 5 },
    { id: "c", createdAtMs: 1 },
    { id: "e", createdAtMs: undefined },
  ];
  assert.deepEqual(
    claims.toSorted(compareAge).map(({ id }) => id),
    ["c", "a", "b", "d", "e"],
  );
});

test("keys are compared in turn", () => {
  const compare = compareBy<readonly [number, string]>(
    (a, b) => compareNumber(a[0], b[0]),
    (a, b) => compareText(a[1], b[1]),
  );
  const pairs = [
    [2, "a"],
    [1, "b"],
    [1, "a"],
  ] as const;
  assert.deepEqual(pairs.toSorted(compare), [
    [1, "a"],
    [1, "b"],
    [2, "a"],
  ]);
  assert.equal(compare([1, "a"], [1, "a"]), 0);
});

test("an order is an order: two ways round are opposites", () => {
  const any = fc.oneof(fc.ipV4(), fc.ipV6()).map((text) => parseAddress(text));
  fc.assert(
    fc.property(any, any, (a, b) => {
      if (a === undefined || b === undefined) return;
      assert.equal(Math.sign(compareAddress(a, b)), -Math.sign(compareAddress(b, a)) + 0);
      assert.equal(compareAddress(a, b) === 0, a === b);
    }),
  );
});
