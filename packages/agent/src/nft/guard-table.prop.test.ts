// Whatever is guarded, what nft is given is of a closed grammar and means what was asked for.

import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";

import { type Address, addressFromValue, AssertionFailure, type DeviceName } from "@fairlead/model";
import { anyText, device, GUARD_WORDS, hostile, nftFaults } from "@fairlead/testkit";

import type { Guarded } from "../ports.ts";
import { type GuardSets, guardSets, tableChange, wholeTable } from "./guard-table.ts";

const anyAddress = fc.oneof(
  fc.integer({ min: 0, max: 5 }).map((last) => addressFromValue("ipv4", BigInt(last))),
  fc.integer({ min: 0, max: 2 ** 31 }).map((value) => addressFromValue("ipv4", BigInt(value))),
  fc.bigInt({ min: 0n, max: 2n ** 128n - 1n }).map((value) => addressFromValue("ipv6", value)),
);

const anyGuarded: fc.Arbitrary<Guarded> = fc.record({
  vips: fc.array(anyAddress, { maxLength: 8 }),
  lanes: fc.array(
    fc.record({
      link: fc.constantFrom("eth0", "bond0.100", "a_b-c").map(device),
      peers: fc.array(anyAddress, { maxLength: 3 }),
    }),
    { maxLength: 3 },
  ),
  listeners: fc.array(
    fc.record({
      address: anyAddress,
      protocol: fc.constantFrom("tcp" as const, "udp" as const),
      port: fc.integer({ min: 1, max: 65_535 }),
    }),
    { maxLength: 8 },
  ),
});

test("a change makes of one table exactly the other", () => {
  fc.assert(
    fc.property(anyGuarded, anyGuarded, (before, after) => {
      const [from, to] = [guardSets(before), guardSets(after)];
      const text = tableChange(from, to, { from: 1, to: 2 });
      const found = played(setsIn(wholeTable(from, 1)), text ?? "");
      const { revision, ...sets } = found;
      assert.deepEqual(sets, listed(to));
      assert.deepEqual(revision, [text === undefined ? "1" : "2"]);
    }),
  );
});

test("what differs between two tables is elements of sets, and nothing else", () => {
  const rules = rest(wholeTable(guardSets({ vips: [], listeners: [], lanes: [] }), 1));
  fc.assert(
    fc.property(anyGuarded, (guarded) => {
      assert.equal(rest(wholeTable(guardSets(guarded), 1)), rules);
    }),
  );
});

test("what nft is given is of closed words: of a whole table, and of a change", () => {
  fc.assert(
    fc.property(anyGuarded, anyGuarded, (before, after) => {
      const [from, to] = [guardSets(before), guardSets(after)];
      const change = tableChange(from, to, { from: 1, to: 2 }) ?? "";
      assert.deepEqual(nftFaults(wholeTable(to, 1), GUARD_WORDS), []);
      assert.deepEqual(nftFaults(change, GUARD_WORDS), []);
    }),
  );
});

/** One text in the place of a link, or of an address, among what is good. */
const FORGED: Readonly<Record<string, (text: string) => Partial<Guarded>>> = {
  link: (text) => ({ lanes: [{ link: text as DeviceName, peers: [] }] }),
  "link of a peer": (text) => ({
    lanes: [{ link: text as DeviceName, peers: [addressFromValue("ipv4", 1n)] }],
  }),
  peer: (text) => ({ lanes: [{ link: device("eth0"), peers: [text as Address] }] }),
  VIP: (text) => ({ vips: [text as Address] }),
  listener: (text) => ({
    vips: [text as Address],
    listeners: [{ address: text as Address, protocol: "tcp", port: 80 }],
  }),
};

for (const [place, forge] of Object.entries(FORGED)) {
  test(`text that no parser would let through never reaches nft as a ${place}`, () => {
    const good = place.startsWith("link") ? "eth0" : "192.0.2.100";
    const strange = fc
      .oneof(anyText({ minLength: 1, maxLength: 10 }), hostile(good))
      .filter((text) => /[^A-Za-z0-9._:-]/.test(text));
    const nothing = guardSets({ vips: [], listeners: [], lanes: [] });
    fc.assert(
      fc.property(anyGuarded, strange, (guarded, text) => {
        const sets = guardSets({ ...guarded, ...forge(text) });
        assert.throws(() => wholeTable(sets, 1), AssertionFailure);
        assert.throws(() => tableChange(nothing, sets, { from: 1, to: 2 }), AssertionFailure);
        assert.throws(() => tableChange(sets, nothing, { from: 1, to: 2 }), AssertionFailure);
      }),
    );
  });
}

type Lists = Readonly<Record<string, readonly string[]>>;
const ELEMENTS = / elements = \{ (?<list>[0-9a-zA-Z"_.:, -]+) \};/;

/** A whole table without its elements. */
function rest(text: string): string {
  return text.replaceAll(new RegExp(ELEMENTS, "g"), "");
}

function setsIn(text: string): Lists {
  const lines = [...text.matchAll(/^ {2}set (?<name>\S+) (?<body>.*)$/gm)];
  return Object.fromEntries(
    lines.map(({ groups }) => [
      groups?.["name"] ?? "",
      elementsOf(ELEMENTS.exec(groups?.["body"] ?? "")?.groups?.["list"]),
    ]),
  );
}

/** The sets after the lines of a change; each has to be one that nft can do. */
function played(before: Lists, text: string): Lists {
  const sets = new Map(Object.entries(before).map(([name, list]) => [name, new Set(list)]));
  for (const line of text.split("\n").filter((one) => one !== "")) {
    const match =
      /^(?<verb>add|delete) element inet fairlead_guard (?<name>\S+) \{ (?<list>.+) \}$/.exec(line);
    const set = sets.get(match?.groups?.["name"] ?? "");
    assert.ok(set, line);
    for (const element of elementsOf(match?.groups?.["list"])) {
      const isAdded = match?.groups?.["verb"] === "add";
      assert.equal(set.has(element), !isAdded, `${line}: ${element}`);
      if (isAdded) set.add(element);
      else set.delete(element);
    }
  }
  return Object.fromEntries([...sets].map(([name, set]) => [name, [...set].toSorted()]));
}

function elementsOf(list: string | undefined): readonly string[] {
  return list === undefined ? [] : list.split(", ").toSorted();
}

function listed(sets: GuardSets): Lists {
  return Object.fromEntries(
    Object.entries(sets).map(([name, elements]) => [name, [...elements].toSorted()]),
  );
}
