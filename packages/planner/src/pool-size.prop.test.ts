// Sizes of pools by arithmetic, against counting through small ones.

import assert from "node:assert/strict";
import { test } from "node:test";

import { addressFromValue, addressValue, rangeContains, rangeText } from "@fairlead/model";
import { makePool, makeRanges } from "@fairlead/testkit";
import fc from "fast-check";

import { poolFamilies, poolSize, reservedSize } from "./pool-size.ts";

const cases = [
  { ranges: "192.0.2.10-192.0.2.50", ipv4: 41n, ipv6: 0n },
  { ranges: "192.0.2.0/24", ipv4: 256n, ipv6: 0n },
  { ranges: "192.0.2.7,192.0.2.9,198.51.100.0/31", ipv4: 4n, ipv6: 0n },
  { ranges: "2001:db8::/64", ipv4: 0n, ipv6: 2n ** 64n },
  { ranges: "192.0.2.1,2001:db8::1-2001:db8::ff", ipv4: 1n, ipv6: 255n },
] as const;

for (const { ranges, ipv4, ipv6 } of cases) {
  test(`${ranges} has ${ipv4} and ${ipv6} addresses`, () => {
    const pool = makePool("lan", ranges);
    assert.equal(poolSize(pool, "ipv4"), ipv4);
    assert.equal(poolSize(pool, "ipv6"), ipv6);
    const wanted = [...(ipv4 > 0n ? ["ipv4"] : []), ...(ipv6 > 0n ? ["ipv6"] : [])];
    assert.deepEqual(poolFamilies(pool), wanted);
  });
}

test("reserved and avoided addresses count as counting through the pool says", () => {
  const near = fc.record({ first: fc.nat(600), length: fc.nat(300) });
  const base = addressValue(makeRanges("10.0.0.0")[0]?.first ?? addressFromValue("ipv4", 0n));
  const range = ({ first, length }: { first: number; length: number }) => ({
    family: "ipv4" as const,
    first: addressFromValue("ipv4", base + BigInt(first)),
    last: addressFromValue("ipv4", base + BigInt(first + length)),
  });
  const property = fc.property(
    near,
    fc.array(near, { maxLength: 4 }),
    fc.boolean(),
    (own, holes, avoids) => {
      const given = range(own);
      const reserved = holes.map(range);
      const pool = makePool("lan", rangeText(given), { reserved, avoidBuggyIPs: avoids });
      let count = 0n;
      let kept = 0n;
      for (let value = addressValue(given.first); value <= addressValue(given.last); value += 1n) {
        const address = addressFromValue("ipv4", value);
        const isKept = reserved.some((hole) => rangeContains(hole, address));
        if (isKept) kept += 1n;
        else if (!avoids || !/\.(0|255)$/.test(address)) count += 1n;
      }
      assert.equal(poolSize(pool, "ipv4"), count);
      assert.equal(reservedSize(pool, "ipv4"), kept);
    },
  );
  fc.assert(property, { numRuns: 200 });
});
