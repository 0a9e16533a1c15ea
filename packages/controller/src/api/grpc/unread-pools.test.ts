// Pools that could never be read: they are in the lists of pools, refused, with why.

import assert from "node:assert/strict";
import { test } from "node:test";

import type { Finding } from "@fairlead/model";
import { plan } from "@fairlead/planner";
import { makeCycleView, makePool, makeRevisionOf, makeWorld } from "@fairlead/testkit";
import { create, DescribePoolResponseSchema, ListKind, ListResponseSchema } from "@fairlead/wire";

import type { AdminContext } from "./admin-context.ts";
import { describePool } from "./describe-pool.ts";
import { list } from "./list.ts";

const BAD: Finding = {
  subject: "pool",
  name: "bad",
  reason: "BadPoolRange",
  detail: 'in "pools.yaml": "192.0.2" is no address',
  files: ["pools.yaml"],
};
const GONE: Finding = {
  subject: "pool",
  name: "gone",
  reason: "HeldOutside",
  detail: "there is no such pool any more; it gave 192.0.2.9, which is held and kept",
};

function contextOf(findings: readonly Finding[]): AdminContext {
  const world = makeWorld({ pools: [makePool("aaa", "192.0.2.1"), makePool("lan", "192.0.2.2")] });
  const made = plan(world, { revisionOf: makeRevisionOf() });
  return {
    nowMs: world.nowMs,
    uptimeMs: 0,
    version: "1",
    view: makeCycleView(world, made, { findings }),
    syncState: () => ({ state: "in-sync", detail: "" }),
  };
}

function rows(findings: readonly Finding[]): readonly string[] {
  const answer = list(contextOf(findings), { kinds: [ListKind.POOLS] });
  const { pools } = create(ListResponseSchema, answer);
  return pools.map(({ name, state, origin, remarks }) =>
    [name, state, origin, ...remarks.map(({ reason }) => reason)].join(" "),
  );
}

test("a pool that could never be read is listed as refused, where it is declared", () => {
  assert.deepEqual(rows([BAD]), [
    "aaa used --pool",
    "bad refused pools.yaml BadPoolRange",
    "lan used --pool",
  ]);
});

test("a pool that is there is listed once, and one that is gone not at all", () => {
  const lan: Finding = { ...BAD, name: "lan" };
  assert.deepEqual(rows([lan, GONE]), ["aaa used --pool", "lan refused --pool BadPoolRange"]);
});

test("it is described by its name, and among all", () => {
  const describe = (name: string): readonly string[] => {
    const answer = describePool(contextOf([BAD, GONE]), { name });
    const { pools } = create(DescribePoolResponseSchema, answer);
    return pools.map(({ row }) => `${row?.name} ${row?.state}`);
  };
  assert.deepEqual(describe("bad"), ["bad refused"]);
  assert.deepEqual(describe("gone"), []);
  assert.deepEqual(describe(""), ["aaa used", "lan used", "bad refused"]);
});
