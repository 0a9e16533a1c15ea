// Reading and writing addresses: what is one, what is none, and the one text of each.

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  addressFromValue,
  addressValue,
  familyBits,
  familyOf,
  parseAddress,
  scopeOf,
} from "./index.ts";
import type { Address, AddressScope } from "./index.ts";

const canonical: readonly (readonly [string, string])[] = [
  ["192.0.2.1", "192.0.2.1"],
  ["0.0.0.0", "0.0.0.0"],
  ["255.255.255.255", "255.255.255.255"],
  ["2001:DB8::1", "2001:db8::1"],
  ["2001:db8:0:0:0:0:0:1", "2001:db8::1"],
  ["2001:0db8:0000:0000:0001:0000:0000:0001", "2001:db8::1:0:0:1"],
  ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
  ["::", "::"],
  ["::1", "::1"],
  ["1::", "1::"],
  ["64:ff9b::192.0.2.33", "64:ff9b::c000:221"],
];

for (const [text, expected] of canonical) {
  test(`${text} is ${expected}`, () => assert.equal(parseAddress(text), expected));
}

const wrong = [
  "",
  "web",
  "192.0.2",
  "192.0.2.1.1",
  "192.0.2.256",
  "192.0.2.01",
  "0x7f.0.0.1",
  "192.0.2.1 ",
  "192.0.2.1\n",
  "192.0.2.1/24",
  "192.0.2.-1",
  "1.2.3.4;",
  ":",
  ":::",
  "1::2::3",
  "2001:db8",
  "2001:db8:0:0:0:0:0:0:1",
  "1:2:3:4:5:6:7:8::",
  "12345::",
  "g::",
  "fe80::1%eth0",
  "[::1]",
  "::ffff:192.0.2.1",
  "::ffff:c000:201",
  "::1.2.3",
  "1.2.3.4::",
  "a".repeat(100),
];

for (const text of wrong) {
  test(`${JSON.stringify(text)} is no address`, () => assert.equal(parseAddress(text), undefined));
}

test("families and their bits", () => {
  assert.deepEqual(
    ["192.0.2.1", "::1"].map((text) => familyOf(text as Address)),
    ["ipv4", "ipv6"],
  );
  assert.deepEqual([familyBits("ipv4"), familyBits("ipv6")], [32, 128]);
});

test("numbers of the ends of both families", () => {
  assert.equal(addressValue("255.255.255.255" as Address), 2n ** 32n - 1n);
  assert.equal(
    addressFromValue("ipv6", 2n ** 128n - 1n),
    "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
  );
  assert.throws(() => addressFromValue("ipv4", 2n ** 32n));
  assert.throws(() => addressFromValue("ipv6", -1n));
});

const scopes: Readonly<Record<AddressScope, readonly string[]>> = {
  unicast: [
    "192.0.2.1",
    "10.0.0.1",
    "126.255.255.255",
    "169.253.255.255",
    "2001:db8::1",
    "fec0::1",
  ],
  loopback: ["127.0.0.1", "127.255.255.255", "::1"],
  "link-local": ["169.254.0.1", "fe80::1", "febf::1"],
  multicast: ["224.0.0.1", "239.255.255.255", "ff02::1"],
  unspecified: ["0.0.0.0", "0.1.2.3", "::"],
  reserved: ["240.0.0.1", "255.255.255.255"],
};

for (const [scope, texts] of Object.entries(scopes)) {
  test(`addresses that are ${scope}`, () => {
    for (const text of texts) {
      const address = parseAddress(text);
      assert.equal(address === undefined ? undefined : scopeOf(address), scope, text);
    }
  });
}
