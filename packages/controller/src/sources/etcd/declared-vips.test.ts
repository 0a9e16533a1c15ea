// Declarations as they come and go: what lists and watches say of each other, in any order.

import assert from "node:assert/strict";
import { test } from "node:test";

import type { EtcdRow } from "../../etcd/list-prefix.ts";
import { createDeclaredVips, type DeclaredVips } from "./declared-vips.ts";

const PREFIX = "/fairlead/vips/";

function make(): DeclaredVips {
  return createDeclaredVips({ prefix: PREFIX, absenceMs: 30_000 });
}

function row(name: string, revision: number, port = 80): EtcdRow {
  const value = JSON.stringify({ port, members: ["10.0.0.1:80"] });
  return { key: `${PREFIX}${name}`, value, revision: BigInt(revision) };
}

const list = (revision: number, ...rows: EtcdRow[]) => ({ revision: BigInt(revision), rows });
const put = (one: EtcdRow) => ({ kind: "put", row: one }) as const;
const drop = (name: string, revision: number) =>
  ({ kind: "deleted", key: `${PREFIX}${name}`, revision: BigInt(revision) }) as const;

const there = ({ vips }: DeclaredVips): readonly string[] =>
  [...vips]
    .map(([name, { vip, absentSinceMs }]) => {
      return `${name}:${vip?.port ?? "?"}${absentSinceMs === undefined ? "" : " absent"}`;
    })
    .toSorted((a, b) => (a < b ? -1 : 1));

test("what a list lacks goes when a list half a minute later lacks it too", () => {
  const vips = make();
  vips.takeList(list(5, row("a", 3), row("b", 4)), 0);
  vips.takeList(list(6, row("a", 3)), 1000);
  assert.deepEqual(there(vips), ["a:80", "b:80 absent"]);
  vips.takeList(list(7, row("a", 3)), 30_999);
  assert.deepEqual(there(vips), ["a:80", "b:80 absent"]);
  vips.takeList(list(8, row("a", 3)), 31_000);
  assert.deepEqual(there(vips), ["a:80"]);
});

test("a deletion that was seen acts at once, and a list from before does not undo it", () => {
  const vips = make();
  vips.takeList(list(5, row("a", 3)), 0);
  assert.deepEqual([...vips.takeChanges([drop("a", 8)])], ["a"]);
  vips.takeList(list(7, row("a", 3)), 0);
  assert.deepEqual(there(vips), []);
  assert.equal(vips.revision, 8n, "a watch goes on after what was seen");
});

test("a list from before does not undo a change, and lacks nothing that came after it", () => {
  const vips = make();
  vips.takeList(list(5, row("a", 3)), 0);
  vips.takeChanges([put(row("a", 8, 81)), put(row("new", 9))]);
  vips.takeList(list(7, row("a", 3)), 0);
  assert.deepEqual(there(vips), ["a:81", "new:80"]);
});

test("what turns bad stays as it was, and what was never good is known by its name", () => {
  const vips = make();
  vips.takeList(list(5, row("a", 3)), 0);
  vips.takeChanges([put({ ...row("a", 6), value: "{" }), put({ ...row("b", 7), value: "{" })]);
  assert.deepEqual(there(vips), ["a:80", "b:?"]);
  assert.equal(vips.vips.get("a")?.problem, "it is not JSON");
  vips.takeChanges([put(row("b", 8, 82))]);
  assert.equal(vips.vips.get("b")?.problem, undefined);
  assert.deepEqual(there(vips), ["a:80", "b:82"]);
});

test("an etcd that was put back says what it says, and deletes nothing by that", () => {
  const vips = make();
  vips.takeList(list(50, row("a", 30, 81), row("b", 40)), 0);
  assert.equal(vips.takeList(list(20, row("a", 3)), 0), true);
  assert.deepEqual(there(vips), ["a:80", "b:80 absent"]);
  assert.equal(vips.revision, 20n);
});
