// The judge of who held which address, by the stories that it has to tell apart.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { HolderEvent, PartitionWindow } from "@fairlead/lab";
import { describeViolation, type EndState, judgeHolders } from "./judge.ts";

const VIP = "192.0.2.50";
const END_MS = 10_000;

const added = (atMs: number, host: string, address = VIP): HolderEvent => {
  return { atMs, host, address, event: "added" };
};
const removed = (atMs: number, host: string, address = VIP): HolderEvent => {
  return { atMs, host, address, event: "removed" };
};
const parted = (fromMs: number, toMs: number | undefined, ...hosts: string[]): PartitionWindow => {
  return { hosts, fromMs, toMs };
};
const held = (...addresses: string[]): EndState => {
  return { isManaged: (address) => address.startsWith("192.0.2."), held: addresses };
};

interface Case {
  readonly name: string;
  readonly history: readonly HolderEvent[];
  readonly partitions?: readonly PartitionWindow[];
  readonly end?: EndState;
  readonly expected: readonly string[];
}

const CASES: readonly Case[] = [
  { name: "nothing happened", history: [], expected: [] },
  { name: "one holder all the time", history: [added(0, "a")], end: held(VIP), expected: [] },
  {
    name: "a move with a short overlap",
    history: [added(0, "a"), added(5_000, "b"), removed(5_300, "a")],
    end: held(VIP),
    expected: [],
  },
  {
    name: "an overlap of exactly the limit",
    history: [added(0, "a"), added(5_000, "b"), removed(5_500, "a")],
    expected: [],
  },
  {
    name: "two hold it for long",
    history: [added(0, "a"), added(5_000, "b"), removed(5_501, "a")],
    expected: ["192.0.2.50 was on a and b for 501 ms, allowed are 500"],
  },
  {
    name: "two hold it until the end",
    history: [added(0, "b"), added(5_000, "a")],
    expected: ["192.0.2.50 was on a and b for 5000 ms, allowed are 500"],
  },
  {
    name: "three hold it: each pair is told",
    history: [added(0, "a"), added(0, "b"), added(0, "c"), removed(600, "b")],
    expected: [
      "192.0.2.50 was on a and b for 600 ms, allowed are 500",
      "192.0.2.50 was on a and c for 10000 ms, allowed are 500",
      "192.0.2.50 was on b and c for 600 ms, allowed are 500",
    ],
  },
  {
    name: "both hold it while they cannot hear each other, and a second after",
    history: [added(0, "a"), added(2_300, "b"), removed(6_000, "a")],
    partitions: [parted(2_000, 5_000, "a")],
    expected: [],
  },
  {
    name: "both hold it for too long after healing",
    history: [added(0, "a"), added(2_300, "b"), removed(6_001, "a")],
    partitions: [parted(2_000, 5_000, "a")],
    expected: ["192.0.2.50 was on a and b for 1001 ms, allowed are 1000"],
  },
  {
    name: "an overlap that begins shortly after healing may last until a second after it",
    history: [added(0, "a"), added(5_100, "b"), removed(6_000, "a")],
    partitions: [parted(2_000, 5_000, "a")],
    expected: [],
  },
  {
    name: "an overlap long after healing is like any other",
    history: [added(0, "a"), added(8_000, "b"), removed(8_600, "a")],
    partitions: [parted(2_000, 5_000, "a")],
    expected: ["192.0.2.50 was on a and b for 600 ms, allowed are 500"],
  },
  {
    name: "an overlap that was too long before the cut",
    history: [added(0, "a"), added(1_000, "b"), removed(4_000, "a")],
    partitions: [parted(2_000, undefined, "a")],
    expected: ["192.0.2.50 was on a and b for 1000 ms, allowed are 500"],
  },
  {
    name: "a partition of others excuses nothing",
    history: [added(0, "a"), added(1_000, "b"), removed(2_000, "a")],
    partitions: [parted(0, undefined, "c"), parted(0, undefined, "a", "b")],
    expected: ["192.0.2.50 was on a and b for 1000 ms, allowed are 500"],
  },
  {
    name: "two partitions that touch are one",
    history: [added(0, "a"), added(0, "b"), removed(9_000, "b")],
    partitions: [parted(3_000, 9_000, "b"), parted(0, 3_000, "a"), parted(1_000, 2_000, "a")],
    expected: [],
  },
  {
    name: "an address that is left over",
    history: [added(0, "a"), added(0, "b", "192.0.2.51")],
    end: held(VIP),
    expected: ["192.0.2.51 was left over on b"],
  },
  {
    name: "a host's own address is nobody's business",
    history: [added(0, "a", "198.51.100.1")],
    end: held(),
    expected: [],
  },
  {
    name: "an address that nobody holds at the end, and one that was never held",
    history: [added(0, "a"), removed(1_000, "a")],
    end: held(VIP, "192.0.2.60"),
    expected: [
      "192.0.2.50 must have one holder at the end, has: none",
      "192.0.2.60 must have one holder at the end, has: none",
    ],
  },
  {
    name: "an address that two hold at the end, both parted",
    history: [added(0, "a"), added(0, "b")],
    partitions: [parted(0, undefined, "a")],
    end: held(VIP),
    expected: ["192.0.2.50 must have one holder at the end, has: a, b"],
  },
  {
    name: "a removal of what was not there, and a second adding, change nothing",
    history: [removed(0, "a"), added(1, "a"), added(2, "a"), removed(3, "a"), added(4, "b")],
    end: held(VIP),
    expected: [],
  },
];

for (const c of CASES) {
  test(c.name, () => {
    const violations = judgeHolders({
      history: c.history,
      partitions: c.partitions ?? [],
      endMs: END_MS,
      ...(c.end === undefined ? {} : { end: c.end }),
    });
    assert.deepEqual(violations.map(describeViolation), c.expected);
  });
}

test("the limits can be set", () => {
  const history = [added(0, "a"), added(5_000, "b"), removed(5_300, "a")];
  const trial = { history, partitions: [], endMs: END_MS, overlapMsMax: 250 };
  assert.equal(judgeHolders(trial).length, 1);
  const healed = { ...trial, partitions: [parted(0, 5_000, "a")], healedOverlapMsMax: 200 };
  assert.equal(judgeHolders(healed)[0]?.kind, "two-holders");
});
