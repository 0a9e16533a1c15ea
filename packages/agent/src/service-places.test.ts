// Places of listeners: kept, of the family of the members, never given to another listener soon,
// and read back as they were written.

import assert from "node:assert/strict";
import { test } from "node:test";
import { present } from "@fairlead/model";
import { address, listenerOf, member } from "@fairlead/testkit";
import {
  type PlaceBook,
  NO_PLACES,
  listenersByService,
  placeAll,
  placesFromText,
  placesToText,
} from "./service-places.ts";
import { parseServiceRanges, SERVICE_NETWORKS } from "./service-ranges.ts";

const RANGES = present(parseServiceRanges(SERVICE_NETWORKS), "the default networks");

function book(before: PlaceBook, entries: readonly [string, readonly string[]][]): PlaceBook {
  const wanted = entries.map(([at, members]) => {
    const [listener, set] = listenerOf(at, []);
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

test("many members need more slots, and few again keep them", () => {
  const few = book(NO_PLACES, [["192.0.2.1:80/tcp", ["10.0.0.1:80"]]]);
  const many = Array.from({ length: 7 }, (_, at) => `10.0.0.${at + 1}:80`);
  const grown = book(few, [["192.0.2.1:80/tcp", many]]);
  assert.deepEqual(services(grown), ["listener/192.0.2.1/tcp/80 198.18.1.0 120"]);
  assert.equal(book(grown, [["192.0.2.1:80/tcp", ["10.0.0.1:80"]]]), grown);
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
