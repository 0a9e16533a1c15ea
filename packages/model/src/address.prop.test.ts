// Addresses against an oracle: what Node's own parser takes, and what URLs write.

import assert from "node:assert/strict";
import { isIP, isIPv6 } from "node:net";
import { test } from "node:test";

import fc from "fast-check";

import {
  type Address,
  addressFromValue,
  addressValue,
  compareAddress,
  familyOf,
  parseAddress,
  scopeOf,
  scopeOfRange,
} from "./index.ts";

/** Texts that are nearly addresses: real ones with one character changed, added or left out. */
const nearly = fc
  .tuple(
    fc.oneof(fc.ipV4(), fc.ipV6(), fc.ipV4Extended()),
    fc.nat(),
    fc.constantFrom("", ":", ".", "0", "1", "f", "g", "%", " ", "/"),
    fc.nat(1),
  )
  .map(([text, at, put, cut]) => {
    const index = at % (text.length + 1);
    return text.slice(0, index) + put + text.slice(index + cut);
  });

/** What Node takes and we refuse on purpose: zones, and IPv4 in IPv6 disguise. */
function isRefusedOnPurpose(text: string): boolean {
  if (text.includes("%")) return true;
  return isIPv6(text) && new URL(`http://[${text}]/`).hostname.startsWith("[::ffff:");
}

test("takes what Node takes, but for zones and IPv4-mapped ones", () => {
  fc.assert(
    fc.property(fc.oneof(fc.ipV4(), fc.ipV6(), nearly, fc.string()), (text) => {
      const isTaken = isIP(text) !== 0 && !isRefusedOnPurpose(text);
      assert.equal(parseAddress(text) !== undefined, isTaken, text);
    }),
    { numRuns: 2000 },
  );
});

test("IPv6 is written as URLs write it (RFC 5952)", () => {
  fc.assert(
    fc.property(fc.bigInt(0n, 2n ** 128n - 1n), fc.nat(0xff), (value, mask) => {
      // Groups of zeros are what the rules are about.
      let sparse = value;
      for (let group = 0n; group < 8n; group++) {
        if ((mask >> Number(group)) & 1) sparse &= ~(0xffffn << (group * 16n));
      }
      const address = addressFromValue("ipv6", sparse);
      assert.equal(`[${address}]`, new URL(`http://[${address}]/`).hostname);
    }),
    { numRuns: 1000 },
  );
});

test("an address and its number are two names of one thing", () => {
  const numbers = fc.oneof(
    fc.record({ family: fc.constant("ipv4" as const), value: fc.bigInt(0n, 2n ** 32n - 1n) }),
    fc.record({ family: fc.constant("ipv6" as const), value: fc.bigInt(0n, 2n ** 128n - 1n) }),
  );
  fc.assert(
    fc.property(numbers, ({ family, value }) => {
      const address = addressFromValue(family, value);
      assert.equal(addressValue(address), value);
      assert.equal(familyOf(address), family);
      // An IPv4-mapped number has a text, but nobody may hand one in.
      if (value >> 32n !== 0xffffn) assert.equal(parseAddress(address), address);
    }),
  );
});

/** Addresses at the edges of what is not unicast, and beside them. */
const edges: Readonly<Record<"ipv4" | "ipv6", fc.Arbitrary<Address>>> = {
  ipv4: fc
    .tuple(
      fc.constantFrom(0n, 1n, 126n, 127n, 128n, 169n, 223n, 224n, 239n, 240n, 255n),
      fc.constantFrom(0n, 1n, 0xfdffffn, 0xfe0000n, 0xfeffffn, 0xff0000n, 0xffffffn),
    )
    .map(([top, rest]) => addressFromValue("ipv4", (top << 24n) + rest)),
  ipv6: fc
    .tuple(
      fc.constantFrom(0n, 0x2001n, 0xfe7fn, 0xfe80n, 0xfebfn, 0xfec0n, 0xfeffn, 0xff00n, 0xffffn),
      fc.constantFrom(0n, 1n, 2n, (1n << 112n) - 1n),
    )
    .map(([top, rest]) => addressFromValue("ipv6", (top << 112n) + rest)),
};

for (const family of ["ipv4", "ipv6"] as const) {
  test(`a range of ${family} is unicast when all of it is, between its ends too`, () => {
    const three = fc.tuple(edges[family], edges[family], edges[family]);
    fc.assert(
      fc.property(three, (unsorted) => {
        const [first, between, last] = unsorted.toSorted(compareAddress);
        assert.ok(first !== undefined && between !== undefined && last !== undefined);
        const scope = scopeOfRange({ family, first, last });
        assert.equal(scopeOfRange({ family, first: between, last: between }), scopeOf(between));
        if (scope === "unicast") assert.equal(scopeOf(between), "unicast");
      }),
      { numRuns: 1000 },
    );
  });
}
