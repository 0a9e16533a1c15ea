// What a plan makes the store write, and that an idle controller writes nothing.

import assert from "node:assert/strict";
import { test } from "node:test";

import type { Intent } from "@fairlead/model";
import { plan } from "@fairlead/planner";
import { agentName, makeClaim, makeRevisionOf, makeWorld } from "@fairlead/testkit";

import { diffStored } from "./store-changes.ts";
import { NO_ROWS, type StoredRows, storedRows } from "./stored-rows.ts";

const FREEZE: Intent = { id: "freeze", sinceMs: 1, kind: "freeze" };
const world = { ...makeWorld({ claims: [makeClaim("a"), makeClaim("b")] }), intents: [FREEZE] };
const planned = plan(world, { revisionOf: makeRevisionOf() });
const rows: StoredRows = storedRows(planned);

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
  const kinds = diffStored(NO_ROWS, rows).map(({ kind }) => kind);
  const placed = kinds.filter((kind) => kind !== "put-intent");
  assert.deepEqual(placed.toSorted(), placed, "put-lane sorts before put-lease");
  assert.equal(kinds.length, rows.leases.size + rows.lanes.size + 1);
  assert.ok(rows.leases.size === 2 && rows.lanes.size > 0);
});

test("an idle controller writes nothing, also after a restart", () => {
  assert.deepEqual(diffStored(rows, rows), []);
  const restarted: StoredRows = {
    leases: new Map(Array.from(rows.leases, ([id, row]) => [id, reversed(row)])),
    lanes: new Map(Array.from(rows.lanes, ([id, row]) => [id, reversed(row)])),
    intents: rows.intents.map(reversed),
  };
  assert.deepEqual(diffStored(restarted, rows), []);
});

test("what changed is put whole, what went is deleted, nothing else is touched", () => {
  const [[first, lease] = [], [second] = []] = [...rows.leases];
  assert.ok(first !== undefined && lease !== undefined && second !== undefined);
  const next: StoredRows = {
    lanes: rows.lanes,
    intents: rows.intents,
    leases: new Map([[first, { ...lease, published: true }]]),
  };
  assert.deepEqual(diffStored(rows, next), [
    { kind: "delete-lease", address: second },
    { kind: "put-lease", lease: { ...lease, published: true } },
  ]);
});

test("intents come and go, but for those that one planning does", () => {
  const drain: Intent = { id: "drain", sinceMs: 2, kind: "drain", agent: agentName("lb-1") };
  const forget: Intent = { id: "forget", sinceMs: 3, kind: "forget", agent: agentName("lb-2") };
  const next = storedRows({ ...planned, intents: [drain, forget] });
  assert.deepEqual(diffStored(rows, next), [
    { kind: "delete-intent", id: "freeze" },
    { kind: "put-intent", intent: drain },
  ]);
});
