// Rows of one kind over many lists: what changed since when, and what is forgotten.

import assert from "node:assert/strict";
import { test } from "node:test";

import { KeyedRows } from "./keyed-rows.ts";

interface Row {
  readonly key: string;
  readonly value: number;
  readonly ageMs: number;
}

const makeRows = (): KeyedRows<Row> => new KeyedRows({ keyOf: ({ key }) => key, passing: "ageMs" });
const row = (key: string, value = 1, ageMs = 0): Row => ({ key, value, ageMs });

test("each row has the version in which it changed last, and the age of now", () => {
  const rows = makeRows();
  assert.equal(rows.take([row("a"), row("b")], 1), true);
  assert.equal(rows.take([row("a", 1, 5), row("b", 1, 5)], 2), false);
  assert.equal(rows.take([row("a", 1, 9), row("b", 2, 9)], 2), true);
  assert.deepEqual(rows.since(0), { rows: [row("a", 1, 9), row("b", 2, 9)], gone: [] });
  assert.deepEqual(rows.since(1), { rows: [row("b", 2, 9)], gone: [] });
  assert.deepEqual(rows.since(2), { rows: [], gone: [] });
});

test("a row that comes back is no longer gone", () => {
  const rows = makeRows();
  rows.take([row("a"), row("b")], 1);
  rows.take([row("b")], 2);
  assert.deepEqual(rows.since(1), { rows: [], gone: ["a"] });
  rows.take([row("a"), row("b")], 3);
  assert.deepEqual(rows.since(1), { rows: [row("a")], gone: [] });
});

test("rows of one key change together", () => {
  const rows = makeRows();
  rows.take([row("a", 1), row("a", 2)], 1);
  rows.take([row("a", 2)], 2);
  assert.deepEqual(rows.since(1), { rows: [row("a", 2)], gone: [] });
});

test("what went too long ago is forgotten, and that is said", () => {
  const rows = makeRows();
  rows.take([row("stays")], 1);
  for (let version = 2; version <= 10_003; version += 1) {
    rows.take([row("stays"), row(`passing ${version}`)], version);
  }
  assert.equal(rows.since(2), undefined);
  assert.equal(rows.since(3)?.gone.length, 10_000);
  assert.equal(rows.since(10_002)?.gone.length, 1);
});
