// Ranges against an oracle: Node's own BlockList.

import assert from "node:assert/strict";
import { BlockList } from "node:net";
import { test } from "node:test";

import fc from "fast-check";

import {
  addressFromValue,
  addressValue,
  familyBits,
  networkOf,
  parseRange,
  rangeContains,
  rangeSize,
  rangeText,
  rangesOverlap,
} from "./index.ts";
import type { Address, AddressRange, Family } from "./index.ts";

/** Addresses near each other, so that they fall into ranges. */
const arbNear = (family: Family): fc.Arbitrary<Address> =>
  fc
    .integer({ min: 0, max: 1200 })
    .map((offset) => addressFromValue(family, (0xc000n << 16n) + BigInt(offset)));

const arbFamily = fc.constantFrom<Family>("ipv4", "ipv6");

const arbRange: fc.Arbitrary<AddressRange> = arbFamily.chain((family) =>
  fc.tuple(arbNear(family), arbNear(family)).map(([a, b]) => {
    const [first, last] = addressValue(a) <= addressValue(b) ? [a, b] : [b, a];
    return { family, first, last };
  }),
);

test("a range holds what Node's BlockList says", () => {
  const anywhere = fc.oneof(arbNear("ipv4"), arbNear("ipv6"));
  fc.assert(
    fc.property(arbRange, anywhere, (range, address) => {
      const oracle = new BlockList();
      oracle.addRange(range.first, range.last, range.family);
      const family = address.includes(":") ? "ipv6" : "ipv4";
      // BlockList takes IPv4 for its IPv6-mapped form; we do not.
      const expected = family === range.family && oracle.check(address, family);
      assert.equal(rangeContains(range, address), expected);
    }),
    { numRuns: 500 },
  );
});

test("a network is what Node's BlockList says of a subnet, ends and neighbours", () => {
  const prefixes = arbFamily.chain((family) =>
    fc.record({
      address: arbNear(family),
      length: fc.integer({ min: 1, max: familyBits(family) }),
    }),
  );
  fc.assert(
    fc.property(prefixes, (prefix) => {
      const { family, first, last } = networkOf(prefix);
      const oracle = new BlockList();
      oracle.addSubnet(prefix.address, prefix.length, family);
      assert.ok(oracle.check(first, family) && oracle.check(last, family));
      const below = addressValue(first) - 1n;
      const above = addressValue(last) + 1n;
      if (below >= 0n) assert.ok(!oracle.check(addressFromValue(family, below), family));
      if (above < 1n << BigInt(familyBits(family))) {
        assert.ok(!oracle.check(addressFromValue(family, above), family));
      }
    }),
    { numRuns: 500 },
  );
});

test("the text of a range reads as the same range", () => {
  fc.assert(
    fc.property(arbRange, (range) => {
      assert.deepEqual(parseRange(rangeText(range)), { kind: "ok", value: range });
      assert.ok(rangeSize(range) >= 1n);
    }),
  );
});

test("two ranges overlap when one holds an end of the other", () => {
  fc.assert(
    fc.property(arbRange, arbRange, (a, b) => {
      const shares =
        rangeContains(a, b.first) || rangeContains(a, b.last) || rangeContains(b, a.first);
      assert.equal(rangesOverlap(a, b), shares);
      assert.equal(rangesOverlap(b, a), shares);
    }),
    { numRuns: 500 },
  );
});
