// Addresses are ordered by their numbers, whatever shortcut the comparator takes. A failure
// prints the seed that repeats it.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { addressFromValue, addressValue, compareAddress } from "./index.ts";

const ipv4 = fc
  .integer({ min: 0, max: 0xffff_ffff })
  .map((value) => addressFromValue("ipv4", BigInt(value)));
const ipv6 = fc
  .bigInt({ min: 0n, max: (1n << 128n) - 1n })
  .map((value) => addressFromValue("ipv6", value));

for (const family of [ipv4, ipv6]) {
  test("two addresses of a family compare as their numbers do", () => {
    fc.assert(
      fc.property(family, family, (a, b) => {
        const wanted = addressValue(a) - addressValue(b);
        const sign = wanted < 0n ? -1 : wanted > 0n ? 1 : 0;
        assert.equal(Math.sign(compareAddress(a, b)), sign);
        assert.equal(compareAddress(a, a), 0);
      }),
    );
  });
}

test("IPv4 comes before IPv6", () => {
  fc.assert(
    fc.property(ipv4, ipv6, (a, b) => {
      assert.ok(compareAddress(a, b) < 0);
      assert.ok(compareAddress(b, a) > 0);
    }),
  );
});
