// Addresses, pools, sharing keys and client ranges that a Service asks for, in all their spellings.

import assert from "node:assert/strict";
import { test } from "node:test";

import { ALIASES, type Wish, wishTexts } from "./aliases.ts";
import { type Fields, oursOf, saidOf, sampleService } from "./sample-objects.ts";

interface WishCase {
  readonly name: string;
  readonly spec?: Fields;
  readonly annotations?: Fields;
  readonly labels?: Fields;
  readonly want: Fields;
  readonly refusals?: readonly string[];
}

const cases: readonly WishCase[] = [
  { name: "nothing is asked for", want: { wishedAddresses: [] } },
  {
    name: "an empty annotation asks for nothing",
    annotations: { "fairlead.io/addresses": " " },
    want: { wishedAddresses: [] },
  },
  {
    name: "spec.loadBalancerIP",
    spec: { loadBalancerIP: "192.0.2.7" },
    want: { wishedAddresses: ["192.0.2.7"] },
  },
  {
    name: "a dual-stack list keeps its order, canonical and once",
    annotations: { "fairlead.io/addresses": "2001:DB8::0:7, 192.0.2.7,192.0.2.7" },
    want: { wishedAddresses: ["2001:db8::7", "192.0.2.7"] },
  },
  {
    name: "two spellings of one list agree",
    annotations: {
      "metallb.io/loadBalancerIPs": "192.0.2.7,2001:db8::7",
      "kube-vip.io/loadbalancerIPs": "2001:db8::7,192.0.2.7",
    },
    want: { wishedAddresses: ["192.0.2.7", "2001:db8::7"] },
  },
  {
    name: "the field may be one address of the list",
    spec: { loadBalancerIP: "192.0.2.7" },
    annotations: { "lbipam.cilium.io/ips": "192.0.2.7,2001:db8::7" },
    want: { wishedAddresses: ["192.0.2.7", "2001:db8::7"] },
  },
  {
    name: "two that disagree are refused with both",
    spec: { loadBalancerIP: "192.0.2.8" },
    annotations: { "fairlead.io/addresses": "192.0.2.7" },
    want: { wishedAddresses: [] },
    refusals: [
      'ConflictingWishes: annotation fairlead.io/addresses says "192.0.2.7" and spec.loadBalancerIP says "192.0.2.8"',
    ],
  },
  {
    name: "text that is no address is refused",
    spec: { loadBalancerIP: "192.0.2.300" },
    want: { wishedAddresses: [] },
    refusals: ['BadAddress: spec.loadBalancerIP: "192.0.2.300" is not an IP address'],
  },
  ...(
    [
      ["0.0.0.0", "unspecified"],
      ["127.0.0.1", "loopback"],
      ["169.254.1.1", "link-local"],
      ["224.0.0.18", "multicast"],
      ["255.255.255.255", "reserved"],
      ["::", "unspecified"],
      ["::1", "loopback"],
      ["fe80::1", "link-local"],
      ["ff02::12", "multicast"],
    ] as const
  ).map(([address, scope]) => ({
    name: `${address} is refused as ${scope}`,
    spec: { loadBalancerIP: address },
    want: { wishedAddresses: [] },
    refusals: [`BadAddress: spec.loadBalancerIP: ${address} is ${scope}, not unicast`],
  })),
  {
    name: "a list without end is refused",
    annotations: { "fairlead.io/addresses": "192.0.2.7,".repeat(5000) },
    want: { wishedAddresses: [] },
    refusals: ["BadAddress: annotation fairlead.io/addresses has more than 8 addresses"],
  },
  {
    name: "a pool by alias",
    annotations: { "metallb.universe.tf/address-pool": "lan" },
    want: { wishedAddresses: [], wishedPool: "lan" },
  },
  {
    name: "a pool's name is checked",
    annotations: { "fairlead.io/address-pool": "LAN;" },
    want: { wishedAddresses: [] },
    refusals: ['BadName: annotation fairlead.io/address-pool: "LAN;" is no pool name'],
  },
  {
    name: "label and annotation that disagree are refused",
    annotations: { "fairlead.io/address-pool": "lan" },
    labels: { "fairlead.io/address-pool": "dmz" },
    want: { wishedAddresses: [] },
    refusals: [
      'ConflictingWishes: annotation fairlead.io/address-pool says "lan" and label fairlead.io/address-pool says "dmz"',
    ],
  },
  {
    name: "a sharing key by alias",
    annotations: { "metallb.io/allow-shared-ip": "team a/dns" },
    want: { wishedAddresses: [], sharingKey: "team a/dns" },
  },
  {
    name: "a sharing key is text that is safe to show",
    annotations: { "fairlead.io/sharing-key": "a\u0000b" },
    want: { wishedAddresses: [] },
    refusals: [
      String.raw`BadField: annotation fairlead.io/sharing-key: "a\u0000b" may only have letters, digits, spaces and ._:/@-`,
    ],
  },
  {
    name: "source ranges refuse the Service, as nothing enforces them",
    spec: { loadBalancerSourceRanges: ["203.0.113.0/24", "10.0.0.0/8", "10.0.0.0/8"] },
    want: { wishedAddresses: [] },
    refusals: ['SourceRangesNotEnforced: clients are limited to "10.0.0.0/8", "203.0.113.0/24"'],
  },
  {
    name: "source ranges of the older annotation too",
    annotations: { "service.beta.kubernetes.io/load-balancer-source-ranges": "10.0.0.0/8" },
    want: { wishedAddresses: [] },
    refusals: ['SourceRangesNotEnforced: clients are limited to "10.0.0.0/8"'],
  },
  {
    name: "source ranges that let in everybody restrict nobody",
    spec: { loadBalancerSourceRanges: ["0.0.0.0/0", "10.0.0.0/8"], ipFamilies: ["IPv4"] },
    want: { wishedAddresses: [] },
  },
  {
    name: "so they do where they name both families and either may be served",
    annotations: { "fairlead.io/source-ranges": "0.0.0.0/0, ::/0" },
    want: { wishedAddresses: [] },
  },
  {
    name: "everybody of one family is not everybody where the other may be served",
    spec: {
      loadBalancerSourceRanges: ["0.0.0.0/0"],
      ipFamilies: ["IPv4"],
      ipFamilyPolicy: "PreferDualStack",
    },
    want: { wishedAddresses: [] },
    refusals: ['SourceRangesNotEnforced: clients are limited to "0.0.0.0/0"'],
  },
  {
    name: "everybody beside a text that is no range is not believed",
    spec: { loadBalancerSourceRanges: ["0.0.0.0/0", "x"], ipFamilies: ["IPv4"] },
    want: { wishedAddresses: [] },
    refusals: [
      'BadField: loadBalancerSourceRanges: no CIDR: "x"',
      'SourceRangesNotEnforced: clients are limited to "0.0.0.0/0"',
    ],
  },
  ...[
    { spec: { loadBalancerSourceRanges: Array.from({ length: 1001 }, () => "0.0.0.0/0") } },
    { annotations: { "fairlead.io/source-ranges": "10.0.0.0/8,".repeat(100_000) } },
  ].map((many) => ({
    ...many,
    name: `source ranges without end in ${Object.keys(many).join("")} are refused unread`,
    want: { wishedAddresses: [] },
    refusals: ["BadField: loadBalancerSourceRanges: more than 1000 ranges, the most that is read"],
  })),
  {
    name: "source ranges that are none protect as well",
    spec: { loadBalancerSourceRanges: ["everybody"] },
    want: { wishedAddresses: [] },
    refusals: [
      'BadField: loadBalancerSourceRanges: no CIDR: "everybody"',
      "SourceRangesNotEnforced: clients are limited to ranges that do not parse",
    ],
  },
];

for (const c of cases) {
  test(`wishes: ${c.name}`, () => {
    const metadata = { annotations: c.annotations ?? {}, labels: c.labels ?? {} };
    const claim = oursOf([sampleService(c.spec, metadata)]);
    const { wishedAddresses, wishedPool, sharingKey } = claim;
    const got = {
      wishedAddresses,
      ...(wishedPool === undefined ? {} : { wishedPool }),
      ...(sharingKey === undefined ? {} : { sharingKey }),
    };
    assert.deepEqual(got, c.want);
    assert.deepEqual(saidOf(claim).refusals, c.refusals ?? []);
  });
}

test("source ranges are kept in the claim in canonical text", () => {
  const spec = { loadBalancerSourceRanges: ["203.0.113.0/24", " 2001:DB8::/32"] };
  assert.deepEqual(oursOf([sampleService(spec)]).policy.sourceRanges, [
    "2001:db8::/32",
    "203.0.113.0/24",
  ]);
});

test("every wish is read from our own name and from each of its aliases", () => {
  for (const [wish, aliases] of Object.entries(ALIASES)) {
    for (const key of [`fairlead.io/${wish}`, ...aliases]) {
      const found = wishTexts(wish as Wish, { annotations: { [key]: "x" } });
      assert.deepEqual(found, [{ place: `annotation ${key}`, text: "x" }]);
    }
  }
});

const SAID_TWICE: readonly (readonly [wish: Wish, first: string, second: string])[] = [
  ["addresses", "192.0.2.7", "192.0.2.8"],
  ["address-pool", "lan", "dmz"],
  ["sharing-key", "dns", "web"],
];

for (const [wish, first, second] of SAID_TWICE) {
  test(`${wish}: any two names agree when they say the same, and are refused when not`, () => {
    const names = [`fairlead.io/${wish}`, ...ALIASES[wish]];
    const pairs = names.flatMap((a, i) => names.slice(i + 1).map((b) => [a, b] as const));
    const say = (annotations: Fields) => oursOf([sampleService({}, { annotations })]);
    for (const [a, b] of pairs) {
      const alone = say({ [a]: first });
      const { wishedAddresses, wishedPool, sharingKey } = say({ [a]: first, [b]: first });
      const wishes = { wishedAddresses, wishedPool, sharingKey };
      assert.deepEqual(wishes, {
        wishedAddresses: alone.wishedAddresses,
        wishedPool: alone.wishedPool,
        sharingKey: alone.sharingKey,
      });
      assert.deepEqual(saidOf(say({ [a]: first, [b]: second })).refusals, [
        `ConflictingWishes: annotation ${a} says "${first}" and annotation ${b} says "${second}"`,
      ]);
    }
  });
}
