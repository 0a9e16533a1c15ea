// Pools of `--pool` and of the config file: what they become, and all errors at once.

import assert from "node:assert/strict";
import { test } from "node:test";

import { rangeText } from "@fairlead/model";
import { createFakeClock } from "@fairlead/runtime";

import type { Fact } from "../facts.ts";
import { createPoolSource } from "./pool-source.ts";
import { readConfiguredPools } from "./pools.ts";

interface PoolCase {
  readonly name: string;
  readonly flags?: readonly string[];
  readonly file?: unknown;
  /** `name: ranges` of the pools, or the problems. */
  readonly pools?: readonly string[];
  readonly problems?: readonly string[];
}

const cases: readonly PoolCase[] = [
  { name: "none at all", pools: [] },
  {
    name: "a range, a CIDR and one address",
    flags: ["lan=192.0.2.10-192.0.2.20, 192.0.2.64/28,2001:db8::1"],
    pools: ["lan: 192.0.2.10-192.0.2.20 192.0.2.64-192.0.2.79 2001:db8::1"],
  },
  {
    name: "flags and file together",
    flags: ["lan=192.0.2.10-192.0.2.20"],
    file: [{ name: "dmz", addresses: ["198.51.100.0/29"], sharing: "never", quarantine: "5m" }],
    pools: ["lan: 192.0.2.10-192.0.2.20", "dmz: 198.51.100.0-198.51.100.7"],
  },
  {
    name: "addresses of an IPAM elsewhere",
    file: [
      { name: "lab", external: { url: "https://ipam.example/", class: "lab", renew: "1m" } },
      {
        name: "dual",
        external: { url: "http://[::1]:1/x", class: "a", families: ["ipv6", "ipv4"] },
      },
      { name: "whole", external: { url: "https://ipam.example/x/ipam/v1/", class: "lab" } },
    ],
    pools: [
      "lab: https://ipam.example lab ipv4 60000",
      "dual: http://[::1]:1/x a ipv6,ipv4 300000",
      "whole: https://ipam.example/x lab ipv4 300000",
    ],
  },
  {
    name: "everything wrong about an IPAM elsewhere",
    file: [
      { name: "a", external: { url: "ftp://ipam.example", class: "Lab", renew: "10ms" } },
      { name: "b", external: { url: "http://me:secret@ipam.example", class: "lab" } },
      { name: "c", external: { url: "http://ipam.example?x=1", class: "lab", renew: "5" } },
      {
        name: "d",
        mode: "host",
        addresses: ["192.0.2.1"],
        external: { url: "http://ipam.example", class: "lab", families: ["ipv4", "ipv4"] },
      },
      { name: "e" },
      { name: "f", external: { url: "http://ipam.example", class: "lab", token: "x" } },
    ],
    problems: [
      'pools[0] "a": external.url: "ftp://ipam.example": expected http://HOST or https://HOST, without user, query and fragment',
      'pools[0] "a": external.class: "Lab" is no name of a class',
      'pools[0] "a": external.renew: "10ms": expected 1s to 24h',
      'pools[1] "b": external.url: expected http://HOST or https://HOST, without user, query and fragment',
      'pools[2] "c": external.url: "http://ipam.example?x=1": expected http://HOST or https://HOST, without user, query and fragment',
      'pools[2] "c": external.renew: "5": expected a number with a unit, such as 500ms, 10s, 1m30s, 2h or 7d, from 1s to 24h',
      'pools[3] "d": external.families: one is there twice',
      'pools[3] "d": addresses: they come from external alone',
      `pools[3] "d": mode: host needs addresses of the pool's own`,
      'pools[4] "e": addresses is missing',
      'pools[5] "f": external: unknown field "token"',
    ],
  },
  {
    name: "everything wrong is said at once",
    flags: [
      "lan",
      "=192.0.2.1",
      "LAN=192.0.2.1",
      "a=192.0.2.20-192.0.2.10",
      "b=192.0.2.0/24,192.0.2.9",
      "c=",
      "c=192.0.2.1",
      "d=192.0.2.1/24",
      "e=127.0.0.1-127.0.0.9",
    ],
    file: [
      { name: "b", addresses: ["192.0.2.1"] },
      { name: "f", addresses: [] },
      { name: "g", addresses: ["192.0.2.1"], autoasign: true },
      { name: "h", addresses: "192.0.2.1" },
      { name: "j", addresses: ["192.0.2.1"], reserved: ["2001:db8::1"] },
      {
        name: "k",
        addresses: ["192.0.2.1"],
        serviceSelector: {
          matchExpressions: [
            { key: "tier", operator: "In" },
            { key: "team", operator: "Exists", values: ["a"] },
          ],
        },
      },
      { name: "i", addresses: ["192.0.2.1"], link: "eth0;", agents: ["A"], quarantine: "5" },
      5,
    ],
    problems: [
      '--pool "lan": expected NAME=RANGE[,RANGE], such as lan=192.0.2.10-192.0.2.50',
      '--pool "=192.0.2.1": expected NAME=RANGE[,RANGE], such as lan=192.0.2.10-192.0.2.50',
      '--pool "LAN=192.0.2.1": "LAN" is no pool name',
      '--pool "a=192.0.2.20-192.0.2.10": "192.0.2.20-192.0.2.10": the first address is above the last',
      '--pool "b=192.0.2.0/24,192.0.2.9": 192.0.2.0-192.0.2.255 and 192.0.2.9 overlap',
      '--pool "c=": "": not an address, a-b or CIDR',
      '--pool "c=192.0.2.1": --pool "c=" declares a pool of this name already',
      '--pool "d=192.0.2.1/24": "192.0.2.1/24": host bits are set; the network is 192.0.2.0/24',
      '--pool "e=127.0.0.1-127.0.0.9": "127.0.0.1-127.0.0.9" holds loopback addresses, not unicast ones alone',
      'pools[0] "b": --pool "b=192.0.2.0/24,192.0.2.9" declares a pool of this name already',
      'pools[1] "f": addresses is empty',
      'pools[2] "g": unknown field "autoasign"',
      'pools[3] "h": addresses: "192.0.2.1": expected array, received string',
      'pools[4] "j": reserved has ipv6 addresses, and addresses has none',
      'pools[5] "k": serviceSelector: "tier": operator In needs values',
      'pools[5] "k": serviceSelector: "team": operator Exists takes no values',
      'pools[6] "i": agents: "A" is no agent name',
      'pools[6] "i": quarantine: "5": expected a number with a unit, such as 500ms, 10s, 1m30s, 2h or 7d, at most 3650d',
      'pools[6] "i": link: "eth0;" is no device name',
      "pools[7]: 5: expected object, received number",
    ],
  },
  {
    name: "a file that has no list",
    file: { lan: "x" },
    problems: ["pools: expected a list of pools"],
  },
];

for (const c of cases) {
  test(`pools: ${c.name}`, () => {
    const read = readConfiguredPools({ flags: c.flags ?? [], file: c.file });
    if (read.kind === "bad") {
      const said = read.problems.map(({ place, detail }) => `${place}: ${detail}`);
      return assert.deepEqual(said, c.problems);
    }
    const got = read.pools.map(({ name, ranges, external }) => {
      const { url, class: of, families, renewMs } = external ?? {};
      const own = ranges.map(rangeText).join(" ");
      return `${name}: ${external === undefined ? own : `${url} ${of} ${String(families)} ${renewMs}`}`;
    });
    return assert.deepEqual(got, c.pools);
  });
}

test("a pool of a flag has all defaults", () => {
  const read = readConfiguredPools({ flags: ["lan=192.0.2.1"], file: undefined });
  assert.deepEqual(read.kind === "ok" ? read.pools : [], [
    {
      name: "lan",
      origin: "--pool",
      createdAtMs: 0,
      ranges: [{ family: "ipv4", first: "192.0.2.1", last: "192.0.2.1" }],
      mode: "vrrp",
      autoAssign: true,
      avoidBuggyIPs: false,
      reserved: [],
      sharing: "ports",
      quarantineMs: 60_000,
      onShrink: "keep",
      priority: 0,
      namespaces: [],
      serviceSelector: { matchLabels: {}, matchExpressions: [] },
      agents: [],
    },
  ]);
});

test("every field of a pool is taken from the config file", () => {
  const file = [
    {
      name: "dmz",
      addresses: ["198.51.100.0/28", "2001:db8::/120"],
      mode: "host",
      autoAssign: false,
      avoidBuggyIPs: true,
      reserved: ["198.51.100.1"],
      sharing: "never",
      quarantine: "5m",
      onShrink: "reassign",
      priority: 7,
      namespaces: ["shop"],
      serviceSelector: {
        matchLabels: { tier: "gold" },
        matchExpressions: [{ key: "team", operator: "NotIn", values: ["x"] }],
      },
      agents: ["lb1"],
      link: "eth1",
    },
  ];
  const read = readConfiguredPools({ flags: [], file });
  assert.deepEqual(read.kind === "ok" ? read.pools : read.problems, [
    {
      name: "dmz",
      origin: "the config file",
      createdAtMs: 0,
      ranges: [
        { family: "ipv4", first: "198.51.100.0", last: "198.51.100.15" },
        { family: "ipv6", first: "2001:db8::", last: "2001:db8::ff" },
      ],
      mode: "host",
      autoAssign: false,
      avoidBuggyIPs: true,
      reserved: [{ family: "ipv4", first: "198.51.100.1", last: "198.51.100.1" }],
      sharing: "never",
      quarantineMs: 300_000,
      onShrink: "reassign",
      priority: 7,
      namespaces: ["shop"],
      serviceSelector: {
        matchLabels: { tier: "gold" },
        matchExpressions: [{ key: "team", operator: "NotIn", values: ["x"] }],
      },
      agents: ["lb1"],
      link: "eth1",
    },
  ]);
});

test("the source shows the pools once and lists them again and again", async () => {
  const read = readConfiguredPools({ flags: ["lan=192.0.2.1"], file: undefined });
  assert(read.kind === "ok");
  const clock = createFakeClock();
  const facts: Fact[] = [];
  await using source = createPoolSource({ pools: read.pools, clock });
  await source.start((news) => void facts.push(...news));
  await clock.advance(31_000);
  assert.deepEqual(
    facts.map(({ kind }) => kind),
    ["pool-seen", "source-listed", "source-listed", "source-listed", "source-listed"],
  );
});
