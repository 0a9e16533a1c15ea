// Places of listeners: kept, of the family of the members, never given to another listener soon,
// and read back as they were written.

import assert from "node:assert/strict";
import { test } from "node:test";
import { type ListenerResource, present, type ResourceName } from "@fairlead/model";
import { address, listenerOf, member } from "@fairlead/testkit";
import {
  type Placeable,
  type PlaceBook,
  NO_PLACES,
  listenersByService,
  placeAll,
  placeChanged,
  placesFromText,
  placesToText,
} from "./service-places.ts";
import { parseServiceRanges, SERVICE_NETWORKS } from "./service-ranges.ts";

const RANGES = present(parseServiceRanges(SERVICE_NETWORKS), "the default networks");

function book(
  before: PlaceBook,
  entries: readonly [string, readonly string[]][],
  change: Partial<ListenerResource> = {},
): PlaceBook {
  const wanted = entries.map(([at, members]) => {
    const [listener, set] = listenerOf(at, [], change);
    return [
      listener.name,
      { listener, members: { ...set, members: members.map(member) } },
    ] as const;
  });
  return placeAll(before, new Map(wanted), RANGES);
}

function services({ places }: PlaceBook): readonly string[] {
  return [...places].map(([name, { service, slots }]) => `${name} ${service} ${slots}`);
}

test("a listener keeps its place while its members come and go", () => {
  const one = book(NO_PLACES, [["192.0.2.1:80/tcp", ["10.0.0.1:80"]]]);
  assert.deepEqual(services(one), ["listener/192.0.2.1/tcp/80 198.18.1.0 24"]);
  assert.equal(book(one, [["192.0.2.1:80/tcp", []]]), one);
  assert.equal(book(one, [["192.0.2.1:80/tcp", ["10.0.0.9:80"]]]), one);
});

test("a listener whose slots another one chooses from now on has another service address", () => {
  const web: [string, readonly string[]][] = [["192.0.2.1:80/tcp", ["10.0.0.1:80"]]];
  const next = book(NO_PLACES, web);
  assert.equal(
    book(next, web, { balance: "random" }),
    next,
    "the kernel chooses, one way or other",
  );
  const nginx = book(next, web, { balance: "least-conn" });
  assert.deepEqual(services(nginx), ["listener/192.0.2.1/tcp/80 198.18.1.1 24"]);
  assert.equal(book(nginx, web, { balance: "least-conn" }), nginx);
  const again = book(nginx, web);
  assert.deepEqual(services(again), ["listener/192.0.2.1/tcp/80 198.18.1.2 24"]);
  for (const one of [next, nginx]) assert.deepEqual(placesFromText(placesToText(one)), one);
});

const many = (count: number): readonly string[] =>
  Array.from({ length: count }, (_, at) => `10.0.0.${at + 1}:80`);

test("many members need more slots, and few again keep them", () => {
  const few = book(NO_PLACES, [["192.0.2.1:80/tcp", ["10.0.0.1:80"]]]);
  const grown = book(few, [["192.0.2.1:80/tcp", many(25)]]);
  assert.deepEqual(services(grown), ["listener/192.0.2.1/tcp/80 198.18.1.0 120"]);
  assert.equal(book(grown, [["192.0.2.1:80/tcp", ["10.0.0.1:80"]]]), grown);
});

test("a seventh member reloaded nginx: a listener gets more slots when another comes or goes", () => {
  const one = book(NO_PLACES, [["192.0.2.1:80/tcp", many(6)]]);
  for (const count of [7, 24]) {
    assert.equal(book(one, [["192.0.2.1:80/tcp", many(count)]]), one, `${count} members`);
  }
  const beside = book(one, [
    ["192.0.2.1:80/tcp", many(7)],
    ["192.0.2.2:80/tcp", many(1)],
  ]);
  assert.deepEqual(services(beside), [
    "listener/192.0.2.1/tcp/80 198.18.1.0 120",
    "listener/192.0.2.2/tcp/80 198.18.1.1 24",
  ]);
  const alone = book(beside, [["192.0.2.1:80/tcp", many(31)]]);
  assert.deepEqual(services(alone), ["listener/192.0.2.1/tcp/80 198.18.1.0 1020"]);
});

test("what changes alone is looked at, and all of it where a listener comes", () => {
  const entry = (at: string, count: number): readonly [ResourceName, Placeable] => {
    const [listener, set] = listenerOf(at, []);
    return [listener.name, { listener, members: { ...set, members: many(count).map(member) } }];
  };
  const before = new Map([entry("192.0.2.1:80/tcp", 1), entry("192.0.2.2:80/tcp", 1)]);
  const first = placeAll(NO_PLACES, before, RANGES);
  const scaled = new Map([...before, entry("192.0.2.1:80/tcp", 7)]);
  assert.equal(placeChanged(first, { before, wanted: scaled }, RANGES), first);
  const wanted = new Map([...scaled, entry("192.0.2.3:80/tcp", 1)]);
  const next = placeChanged(first, { before: scaled, wanted }, RANGES);
  assert.deepEqual(next, placeAll(first, wanted, RANGES));
  assert.match(services(next)[0] ?? "", / 120$/);
});

test("a place is of its members' family, and members of both have none", () => {
  const found = book(NO_PLACES, [
    ["192.0.2.1:80/tcp", ["2001:db8::1:80"]],
    ["192.0.2.2:80/tcp", ["2001:db8::1:80", "10.0.0.1:80"]],
    ["2001:db8::2:80/tcp", []],
  ]);
  assert.deepEqual(services(found), [
    "listener/192.0.2.1/tcp/80 fdfa:1ead::100 24",
    "listener/2001:db8::2/tcp/80 fdfa:1ead::101 24",
  ]);
  assert.equal(
    listenersByService(found.places).get(address("fdfa:1ead::101")),
    "listener/2001:db8::2/tcp/80",
  );
});

test("an address that became free goes to nobody until all others were used", () => {
  let last = book(NO_PLACES, [["192.0.2.1:80/tcp", []]]);
  last = book(last, []);
  last = book(last, [["192.0.2.1:80/tcp", []]]);
  assert.deepEqual(services(last), ["listener/192.0.2.1/tcp/80 198.18.1.1 24"]);
  const nearlyRound = { ...last, given: { ipv4: 65_537, ipv6: 0 } };
  const round = book(nearlyRound, [
    ["192.0.2.1:80/tcp", []],
    ["192.0.2.2:80/tcp", []],
  ]);
  assert.deepEqual(services(round).at(-1), "listener/192.0.2.2/tcp/80 198.18.1.2 24");
});

test("a book reads as it was written, and a damaged one not at all", () => {
  const written = book(NO_PLACES, [
    ["192.0.2.1:80/tcp", ["10.0.0.1:80"]],
    ["2001:db8::2:53/udp", []],
  ]);
  assert.deepEqual(placesFromText(placesToText(written)), written);
  for (const text of ["", "given 1 2", placesToText(written).replace("24", "25")]) {
    assert.equal(placesFromText(text), undefined);
  }
});

test("networks of service addresses are one of each family, and large enough", () => {
  assert.deepEqual(parseServiceRanges(["10.64.0.0/15"])?.ipv4.target, "10.64.0.1");
  for (const texts of [[], ["fd00::/64"], ["198.18.0.0/16"], ["198.18.0.0/15", "10.0.0.0/8"]]) {
    assert.equal(parseServiceRanges(texts), undefined);
  }
});
