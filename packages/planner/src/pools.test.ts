// Pools against each other: which is used, which is refused and why, and in which order they are
// tried.

import assert from "node:assert/strict";
import { test } from "node:test";

import type { AddressPool } from "@fairlead/model";
import { address, makePool, makeRanges } from "@fairlead/testkit";

import { checkPools, withheld } from "./pools.ts";

interface Story {
  readonly name: string;
  readonly pools: readonly AddressPool[];
  /** Names in the order they are tried, then each finding. */
  readonly expect: readonly string[];
}

const stories: readonly Story[] = [
  {
    name: "by priority, then by name",
    pools: [
      makePool("b", "10.0.0.1"),
      makePool("a", "10.0.0.2"),
      makePool("z", "10.0.0.3", { priority: 1 }),
    ],
    expect: ["z", "a", "b"],
  },
  {
    name: "the newer of two that overlap is refused",
    pools: [
      makePool("late", "10.0.0.0/24", { createdAtMs: 2000 }),
      makePool("early", "10.0.0.200-10.0.1.5", { createdAtMs: 1000 }),
    ],
    expect: [
      "early",
      "late: PoolOverlap 10.0.0.0-10.0.0.255 overlaps with 10.0.0.200-10.0.1.5 of pool early",
    ],
  },
  {
    name: "a range whose ends are unicast is refused for what lies between them",
    pools: [makePool("wide", "126.0.0.0-128.0.0.9"), makePool("wider", "fe00::-feff::")],
    expect: [
      "wide: BadPoolRange 126.0.0.0-128.0.0.9 holds loopback addresses, which no VIP can be",
      "wider: BadPoolRange fe00::-feff:: holds link-local addresses, which no VIP can be",
    ],
  },
  {
    name: "without times, the origin and then the name decide",
    pools: [
      makePool("a", "10.0.0.1", { origin: "pools.yaml" }),
      makePool("b", "10.0.0.1", { origin: "--pool" }),
    ],
    expect: ["b", "a: PoolOverlap 10.0.0.1 overlaps with 10.0.0.1 of pool b"],
  },
  {
    name: "a refused pool keeps nobody else out",
    pools: [
      makePool("one", "10.0.0.1-10.0.0.5", { createdAtMs: 1 }),
      makePool("two", "10.0.0.5-10.0.0.9", { createdAtMs: 2 }),
      makePool("three", "10.0.0.9", { createdAtMs: 3 }),
    ],
    expect: [
      "one",
      "three",
      "two: PoolOverlap 10.0.0.5-10.0.0.9 overlaps with 10.0.0.1-10.0.0.5 of pool one",
    ],
  },
  {
    name: "a second pool of one name is refused, the first stays",
    pools: [
      makePool("a", "10.0.0.1", { createdAtMs: 1 }),
      makePool("a", "10.0.0.2", { createdAtMs: 2 }),
    ],
    expect: ["a", "a: DuplicateObject an older pool has this name; it stays in force"],
  },
  {
    name: "loopback and multicast addresses are no pool",
    pools: [makePool("lo", "127.0.0.1"), makePool("mc", "ff02::1-ff02::9")],
    expect: [
      "lo: BadPoolRange 127.0.0.1 holds loopback addresses, which no VIP can be",
      "mc: BadPoolRange ff02::1-ff02::9 holds multicast addresses, which no VIP can be",
    ],
  },
  {
    name: "ranges of different families never overlap",
    pools: [makePool("v4", "0.0.0.0/0"), makePool("v6", "2001:db8::/32")],
    expect: [
      "v6",
      "v4: BadPoolRange 0.0.0.0-255.255.255.255 holds unspecified addresses, which no VIP can be",
    ],
  },
];

for (const { name, pools, expect } of stories) {
  test(name, () => {
    for (const given of [pools, pools.toReversed()]) {
      const { usable, findings } = checkPools(given);
      const refused = findings.map((one) => `${one.name}: ${one.reason} ${one.detail}`);
      assert.deepEqual([...usable.map(({ pool }) => pool.name), ...refused], expect);
    }
  });
}

test("an address belongs to the pool whose ranges hold it", () => {
  const book = checkPools([makePool("a", "10.0.0.1-10.0.0.9, 2001:db8::/64")]);
  const named = ["10.0.0.9", "10.0.0.10", "2001:db8::ffff", "2001:db8:1::"].map(
    (text) => book.poolOf(address(text))?.pool.name,
  );
  assert.deepEqual(named, ["a", undefined, "a", undefined]);
});

test("what a pool keeps back", () => {
  const reserved = makeRanges("10.0.0.8/30");
  const [view] = checkPools([
    makePool("a", "10.0.0.0/24", { reserved, avoidBuggyIPs: true }),
  ]).usable;
  assert.ok(view !== undefined);
  const kept = ["10.0.0.0", "10.0.0.1", "10.0.0.8", "10.0.0.11", "10.0.0.12", "10.0.0.255"].map(
    (text) => withheld(view, address(text)),
  );
  assert.deepEqual(kept, ["buggy", undefined, "reserved", "reserved", undefined, "buggy"]);
});
