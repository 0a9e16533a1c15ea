// The guard's table as text: goldens, which are written only with FAIRLEAD_UPDATE_GOLDEN=1 and
// reviewed like code, and what makes one table of another.

import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { AssertionFailure, type DeviceName } from "@fairlead/model";
import { address, device } from "@fairlead/testkit";

import type { Guarded } from "../ports.ts";
import { createGuardSets, guardSets, tableChange, wholeTable, widenedSets } from "./guard-table.ts";

const TESTDATA = fileURLToPath(new URL("testdata/", import.meta.url));
const ETH0 = device("eth0");

const NOTHING: Guarded = { vips: [], listeners: [], lanes: [] };
const HOLDER: Guarded = {
  vips: ["192.0.2.100", "192.0.2.101", "2001:db8::100"].map(address),
  listeners: [
    { address: address("192.0.2.100"), protocol: "tcp", port: 80 },
    { address: address("192.0.2.100"), protocol: "udp", port: 53 },
    { address: address("2001:db8::100"), protocol: "tcp", port: 443 },
  ],
  lanes: [
    { link: ETH0, peers: [address("192.0.2.12"), address("192.0.2.13")] },
    { link: device("bond0.7-x"), peers: [address("2001:db8::12")] },
  ],
};

function changeTo(next: Guarded): string | undefined {
  return tableChange(guardSets(HOLDER), guardSets(next), { from: 2, to: 3 });
}

function compare(name: string, text: string): void {
  const path = `${TESTDATA}${name}`;
  if (process.env["FAIRLEAD_UPDATE_GOLDEN"] === "1") writeFileSync(path, text);
  assert.equal(text, readFileSync(path, "utf8"), `${name} differs from what is made`);
}

test("golden: the table of a host that has nothing", () => {
  compare("nothing.nft", wholeTable(guardSets(NOTHING), 1));
});

test("golden: the table of a host with lanes, addresses and ports of both families", () => {
  compare("holder.nft", wholeTable(guardSets(HOLDER), 2));
});

test("golden: a port opens, another closes, an address goes", () => {
  const [, dns, https] = HOLDER.listeners;
  assert.ok(dns !== undefined && https !== undefined);
  const next: Guarded = {
    ...HOLDER,
    vips: [address("192.0.2.100"), address("2001:db8::100")],
    listeners: [dns, https, { ...https, port: 80 }],
  };
  compare("change.nft", changeTo(next) ?? "");
});

test("what is the same is no change, whatever its order", () => {
  const { vips, listeners, lanes } = HOLDER;
  const shuffled = {
    vips: vips.toReversed(),
    listeners: listeners.toReversed(),
    lanes: lanes.toReversed(),
  };
  assert.equal(changeTo(shuffled), undefined);
});

test("a listener of an address that is not guarded opens nothing: the address is the host's", () => {
  const { listeners4, listeners6 } = guardSets({ ...HOLDER, vips: [] });
  assert.deepEqual([...listeners4, ...listeners6], []);
});

test("while addresses move, those of before stay, and a new link drops nobody yet", () => {
  const before = guardSets(HOLDER);
  const next = guardSets({
    vips: [address("192.0.2.105")],
    listeners: [],
    lanes: [{ link: device("eth1"), peers: [address("192.0.2.14")] }],
  });
  const wide = widenedSets(before, next);
  assert.deepEqual([...wide.vips4].toSorted(), ["192.0.2.100", "192.0.2.101", "192.0.2.105"]);
  assert.deepEqual([...wide.listeners4], []);
  assert.deepEqual([...wide.peers4].toSorted(), [
    '"eth0" . 192.0.2.12',
    '"eth0" . 192.0.2.13',
    '"eth1" . 192.0.2.14',
  ]);
  assert.deepEqual(wide.lanes, before.lanes);
  assert.deepEqual([...widenedSets(undefined, next).lanes], []);
});

const hostile = ['e"; drop; #', "e\nflush ruleset", "", "a".repeat(16), "é"];
for (const name of hostile) {
  test(`a device named ${JSON.stringify(name)} never reaches nft`, () => {
    const guarded = { ...NOTHING, lanes: [{ link: name as DeviceName, peers: [] }] };
    assert.throws(() => wholeTable(guardSets(guarded), 1), AssertionFailure);
  });
}

test("sets that are asked for again are not made again, and others are", () => {
  const setsOf = createGuardSets();
  const first = setsOf(HOLDER);
  const again = { ...HOLDER, vips: [...HOLDER.vips], listeners: [...HOLDER.listeners] };
  assert.equal(setsOf(again), first);
  for (const key of ["vips", "listeners", "lanes"] as const) {
    const less = { ...HOLDER, [key]: HOLDER[key].slice(1) };
    assert.deepEqual(setsOf(less), guardSets(less), `others without the first of ${key}`);
    assert.deepEqual(setsOf(HOLDER), first);
  }
});
