// What `ip` writes about addresses, in the words of iproute2 6.1, read back.

import assert from "node:assert/strict";
import { test } from "node:test";
import { parseAddressChange, parseAddressList } from "./held-address.ts";

const FOR_EVER = "\\       valid_lft forever preferred_lft forever";
const MARKED = "scope global secondary eth0:lb";

const CASES = [
  {
    name: "a virtual address arrives",
    line: `2: eth0    inet 192.0.2.50/32 scope global eth0${FOR_EVER}`,
    expected: {
      event: "added",
      held: { address: "192.0.2.50", prefixLength: 32, family: "ipv4", link: "eth0" },
    },
  },
  {
    name: "a marked one leaves",
    line: `Deleted 2: eth0    inet 192.0.2.50/24 brd 192.0.2.255 ${MARKED}${FOR_EVER}`,
    expected: {
      event: "removed",
      held: {
        address: "192.0.2.50",
        prefixLength: 24,
        family: "ipv4",
        link: "eth0",
        label: "eth0:lb",
      },
    },
  },
  {
    name: "an IPv6 address arrives that is not used as a source",
    line: `2: eth0    inet6 2001:db8::50/128 scope global deprecated nodad ${FOR_EVER}`,
    expected: {
      event: "added",
      held: { address: "2001:db8::50", prefixLength: 128, family: "ipv6", link: "eth0" },
    },
  },
  {
    name: "an address with a peer",
    line: `7: tun0    inet 192.0.2.1 peer 192.0.2.2/32 scope global tun0${FOR_EVER}`,
    expected: {
      event: "added",
      held: { address: "192.0.2.1", prefixLength: 32, family: "ipv4", link: "tun0" },
    },
  },
  { name: "a line about a link", line: "2: eth0: <BROADCAST,UP> mtu 1500", expected: undefined },
  { name: "an empty line", line: "", expected: undefined },
] as const;

for (const c of CASES) {
  test(`monitor: ${c.name}`, () => {
    const expected =
      c.expected === undefined
        ? undefined
        : { ...c.expected, held: { label: undefined, ...c.expected.held } };
    assert.deepEqual(parseAddressChange(c.line), expected);
  });
}

test("list: every address of every device, and nothing of a device without any", () => {
  const json = JSON.stringify([
    {},
    { ifname: "eth0", addr_info: [] },
    {
      ifname: "eth1",
      addr_info: [
        { family: "inet", local: "192.0.2.1", prefixlen: 24, label: "eth1:lb" },
        { family: "inet6", local: "fe80::1", prefixlen: 64 },
        {},
      ],
    },
  ]);
  const link = "eth1";
  assert.deepEqual(parseAddressList(json), [
    { address: "192.0.2.1", prefixLength: 24, family: "ipv4", link, label: "eth1:lb" },
    { address: "fe80::1", prefixLength: 64, family: "ipv6", link, label: undefined },
  ]);
});
