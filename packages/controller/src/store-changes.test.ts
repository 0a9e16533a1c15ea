// What a plan makes the store write, and that an idle controller writes nothing.

import assert from "node:assert/strict";
import { test } from "node:test";

import { plan } from "@fairlead/planner";
import { makeClaim, makeRevisionOf, makeWorld } from "@fairlead/testkit";

import { type StoredRows, diffStored } from "./store-changes.ts";

const EMPTY: StoredRows = { leases: new Map(), lanes: new Map() };
const rows: StoredRows = plan(makeWorld({ claims: [makeClaim("a"), makeClaim("b")] }), {
  revisionOf: makeRevisionOf(),
});

/** The same content in other objects, keys in another order. */
function reversed<T>(value: T): T {
  const text = JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === "object" && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).toReversed())
      : inner,
  );
  return JSON.parse(text) as T;
}

test("a new plan puts its lanes before the leases that ride in them", () => {
  const kinds = diffStored(EMPTY, rows).map(({ kind }) => kind);
  assert.deepEqual(kinds.toSorted(), kinds, "put-lane sorts before put-lease");
  assert.equal(kinds.length, rows.leases.size + rows.lanes.size);
  assert.ok(rows.leases.size === 2 && rows.lanes.size > 0);
});

test("an idle controller writes nothing, also after a restart", () => {
  assert.deepEqual(diffStored(rows, rows), []);
  const restarted: StoredRows = {
    leases: new Map(Array.from(rows.leases, ([id, row]) => [id, reversed(row)])),
    lanes: new Map(Array.from(rows.lanes, ([id, row]) => [id, reversed(row)])),
  };
  assert.deepEqual(diffStored(restarted, rows), []);
});

test("what changed is put whole, what went is deleted, nothing else is touched", () => {
  const [[first, lease] = [], [second] = []] = [...rows.leases];
  assert.ok(first !== undefined && lease !== undefined && second !== undefined);
  const next: StoredRows = {
    lanes: rows.lanes,
    leases: new Map([[first, { ...lease, published: true }]]),
  };
  assert.deepEqual(diffStored(rows, next), [
    { kind: "delete-lease", address: second },
    { kind: "put-lease", lease: { ...lease, published: true } },
  ]);
});
