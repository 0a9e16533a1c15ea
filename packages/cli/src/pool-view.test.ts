// Pools as an operator sees them: tables, details, and how the usage bar is drawn.

import assert from "node:assert/strict";
import { test } from "node:test";

import { create, ListResponseSchema, DescribePoolResponseSchema } from "@fairlead/wire";

import { arePoolsWell, formatPoolDetails, formatPools, usageBar } from "./pool-view.ts";

const bars: readonly (readonly [bigint, string, string])[] = [
  [0n, "10", "[....................]   0%"],
  [1n, "65536", "[#...................]   0%"],
  [5n, "10", "[##########..........]  50%"],
  [65_535n, "65536", "[###################.]  99%"],
  [10n, "10", "[####################] 100%"],
  [12n, "10", "[####################] 100%"],
  [3n, "18446744073709551616", "[#...................]   0%"],
  [0n, "0", "[....................]   -"],
];

for (const [used, size, bar] of bars) {
  test(`${used} of ${size} is ${bar}`, () => assert.equal(usageBar(used, size), bar));
}

const row = {
  name: "lan",
  ranges: "192.0.2.10-192.0.2.19,2001:db8::/64",
  mode: "vrrp",
  state: "used",
  origin: "the config file",
  autoAssign: true,
  usage: [
    { family: "ipv4", size: "10", held: 4n, draining: 1n, quarantined: 2n },
    { family: "ipv6", size: "18446744073709551616", held: 1n },
  ],
};
const overlap = {
  reason: "PoolOverlap",
  code: "FL0305",
  title: "The pool shares addresses with an older one and is not used.",
  detail: "192.0.2.19 overlaps with 192.0.2.10-192.0.2.19 of pool lan",
  remedy: "Give every address to one pool only.",
};
const refused = { name: "late", mode: "vrrp", state: "refused", remarks: [overlap] };

test("a line for each family of a pool, and what is found about pools", () => {
  const { pools } = create(ListResponseSchema, { pools: [row, refused] });
  assert.equal(
    formatPools(pools, {}),
    `NAME   MODE   FAMILY   USED   SIZE                   USAGE                       STATE     REASON
lan    vrrp   ipv4     5      10                     [##########..........]50%   used      -
lan    vrrp   ipv6     1      18446744073709551616   [#...................]0%    used      -
late   vrrp   -        -      -                      -                           refused   PoolOverlap

late: The pool shares addresses with an older one and is not used. (FL0305)
  why: 192.0.2.19 overlaps with 192.0.2.10-192.0.2.19 of pool lan
  do:  Give every address to one pool only.
`,
  );
  assert.equal(arePoolsWell(pools), false);
  assert.equal(arePoolsWell(pools.slice(0, 1)), true);
});

test("no cell of a pool has a blank: each stands below its heading for awk", () => {
  const { pools } = create(ListResponseSchema, { pools: [row] });
  const lines = formatPools(pools, { wide: true }).trimEnd().split("\n");
  const [headings = [], ...rows] = lines.map((line) => line.split(/ +/));
  assert.deepEqual(
    rows.map((cells) => [cells.length, cells[headings.indexOf("USAGE")]]),
    [
      [headings.length, "[##########..........]50%"],
      [headings.length, "[#...................]0%"],
    ],
  );
});

test("a pool of two files names both as they are", () => {
  const two = { ...row, origin: "a.yaml, sub/b.yaml" };
  const { pools } = create(ListResponseSchema, { pools: [two] });
  assert.match(formatPools(pools, { wide: true }), / a\.yaml,sub\/b\.yaml +-$/m);
});

test("wide adds rules and places, and no pool is said to be none", () => {
  const { pools } = create(ListResponseSchema, { pools: [row] });
  const [headings = "", line = ""] = formatPools(pools, { wide: true }).split("\n");
  assert.match(headings, /STATE +QUARANTINED +AUTO +PRIORITY +RANGES +ORIGIN +REASON$/);
  assert.match(line, /used +2 +yes +0 +192\.0\.2\.10-\S+ +the-config-file +-$/);
  assert.match(formatPools([], {}), /there is no pool\n$/);
});

test("what a pool gives no more does not fill it, and its description counts it apart", () => {
  const usage = [{ family: "ipv4", size: "1", held: 1n, quarantined: 2n, outside: 2n }];
  const shrunk = { ...row, usage };
  const { pools } = create(DescribePoolResponseSchema, { pools: [{ row: shrunk }] });
  assert.match(
    formatPoolDetails(pools, {}),
    /^Usage ipv4: .* 100% {2}1 held, 0 draining, 2 quarantined, of 1; 2 more outside of what it gives$/m,
  );
  const { pools: rows } = create(ListResponseSchema, { pools: [shrunk] });
  assert.match(formatPools(rows, {}), /^lan +vrrp +ipv4 +1 +1 +\[#{20}\]100% +used/m);
});

test("a description has the rules, the usage, who waits and every address", () => {
  const { pools } = create(DescribePoolResponseSchema, {
    pools: [
      {
        row,
        addresses: ["192.0.2.10-192.0.2.19", "2001:db8::/64"],
        sharing: "ports",
        quarantineMs: 60_000n,
        onShrink: "keep",
        labels: ["tier=gold"],
        waiting: ["default/late"],
        leases: [
          {
            address: "192.0.2.10",
            state: "held",
            owners: ["default/web"],
            holder: "lb1",
            ageMs: 5000n,
          },
        ],
        leasesLeftOut: 4n,
      },
    ],
  });
  assert.equal(
    formatPoolDetails(pools, {}),
    `Name:          lan
Origin:        the config file
State:         used
Mode:          vrrp
Addresses:     192.0.2.10-192.0.2.19, 2001:db8::/64
Reserved:      none
Auto-assign:   yes
Avoid .0 .255: no
Sharing:       ports
Quarantine:    60s
On shrink:     keep
Priority:      0
Namespaces:    all
Labels:        tier=gold
Agents:        all
Link:          by subnet
Usage ipv4:    [##########..........]  50%  4 held, 1 draining, 2 quarantined, of 10
Usage ipv6:    [#...................]   0%  1 held, 0 draining, 0 quarantined, of 18446744073709551616
Waiting:       default/late

ADDRESS      STATE   OWNERS        HOLDER   AGE
192.0.2.10   held    default/web   lb1      5s
and 4 more
`,
  );
});
