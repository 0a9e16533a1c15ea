// Leases in files: what is written is read back, and what a file may not say is told in words.

import assert from "node:assert/strict";
import { test } from "node:test";

import { create } from "@bufbuild/protobuf";
import { LeaseBookSchema } from "@fairlead/proto";
import { address, agentName, makeClaim, makePool } from "@fairlead/testkit";
import type { LeasedAddress } from "@fairlead/model";

import { leaseBookFromJson, leaseBookToJson } from "./admin-json.ts";
import { decodeLeaseBook, encodeLeaseBook } from "./lease-book-codec.ts";

const dns = makeClaim("dns");
const web = makeClaim("web");
const row: LeasedAddress = {
  address: address("192.0.2.100"),
  pool: makePool("lan", "192.0.2.100").name,
  owners: [
    { claim: dns.id, uid: dns.uid, ports: [], sinceMs: 1_700_000_900_000 },
    { claim: web.id, uid: web.uid, ports: [{ protocol: "udp", port: 53 }] },
  ],
  sharingKey: "k",
  lastClaim: web.id,
  placement: { kind: "unplaced" },
  sentTo: [agentName("lb-1")],
  state: { kind: "held" },
  published: true,
  sinceMs: 1_700_000_000_000,
};
const { sharingKey: _, ...rest } = row;
const rows: readonly LeasedAddress[] = [
  row,
  {
    ...rest,
    address: address("192.0.2.101"),
    owners: [],
    state: { kind: "draining", sinceMs: row.sinceMs },
    published: false,
  },
  {
    ...rest,
    address: address("2001:db8::1"),
    owners: [],
    sentTo: [],
    state: { kind: "quarantined", untilMs: row.sinceMs + 1 },
  },
];

test("leases in every state come back from a file as they were", () => {
  const book = create(LeaseBookSchema, encodeLeaseBook(rows.toReversed()));
  const json = JSON.stringify(leaseBookToJson(book));
  const read = decodeLeaseBook(leaseBookFromJson(json));
  assert.deepEqual(read, { kind: "ok", leases: rows });
});

const bad: readonly { readonly change: object; readonly says: RegExp }[] = [
  { change: { address: "here" }, says: /it is no address/ },
  { change: { pool: "A B" }, says: /is no pool's name/ },
  { change: { lastClaim: "web" }, says: /is no claim/ },
  { change: { owners: [] }, says: /"held" and has 0 owners/ },
  { change: { state: "free", owners: [] }, says: /state "free" is none/ },
  { change: { state: "draining", owners: [], sentTo: [] }, says: /lacks what it waits for/ },
  { change: { sentTo: ["-"] }, says: /no agent's name/ },
  { change: { owners: [{ claim: web.id, uid: "u", ports: ["0/TCP"] }] }, says: /is no port/ },
  { change: { owners: [{ claim: web.id, uid: "", ports: [] }] }, says: /has no uid/ },
];

for (const { change, says } of bad) {
  test(`a record with ${JSON.stringify(change)} is refused`, () => {
    const [record] = encodeLeaseBook([row]).leases ?? [];
    const book = create(LeaseBookSchema, { version: 1, leases: [{ ...record, ...change }] });
    const read = decodeLeaseBook(book);
    assert.ok(read.kind === "bad");
    assert.match(read.problems.join(), says);
  });
}

test("a time between two milliseconds is rounded", () => {
  const until = { ...row, owners: [], state: { kind: "quarantined", untilMs: 5.5 } } as const;
  const [record] = encodeLeaseBook([{ ...until, sinceMs: 1.25 }]).leases ?? [];
  assert.deepEqual([record?.sinceMs, record?.quarantinedUntilMs], [1n, 6n]);
});

test("a file of another version is refused", () => {
  const read = decodeLeaseBook(create(LeaseBookSchema, { version: 2 }));
  assert.deepEqual(read.kind, "bad");
});
