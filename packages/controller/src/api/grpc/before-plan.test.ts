// What a controller says before its first plan, while its sources are being listed: that it does
// not know yet. That nothing is there would be believed.

import assert from "node:assert/strict";
import { test } from "node:test";

import { makeClaim, makeCycleView, makeWorld } from "@fairlead/testkit";

import { exportLeases } from "./act-calls.ts";
import { explain } from "./explain.ts";
import { listLanes } from "./list-lanes.ts";

const notReady = "sources are being listed";
const world = makeWorld({ claims: [makeClaim("web")] });
const view = makeCycleView(world, undefined, { notReady });
const syncState = (): never => assert.fail("no agent is asked about here");
const context = { nowMs: 0, uptimeMs: 0, version: "0.1.0", view, syncState };

for (const subject of ["192.0.2.100", "default/shop", "lb-9", "address/192.0.2.100"]) {
  test(`before the first plan ${subject} is not said to be free, gone or unknown`, () => {
    const told = explain(context, subject);
    assert.equal(told.found, true);
    assert.deepEqual(
      told.steps?.map(({ detail }) => detail),
      ["nothing can be said yet: sources are being listed"],
    );
  });
}

test("before the first plan a Service that was seen is told of", () => {
  const told = explain(context, "web");
  assert.equal(told.title, "Service default/web");
});

test("before the first plan leases are not exported: none would be taken for all", () => {
  assert.throws(() => exportLeases(view), /not known here: sources are being listed$/);
});

test("before the first plan lanes are not listed: a drain that goes on would be taken for done", () => {
  assert.throws(() => listLanes(view), /lanes are not known here: sources are being listed$/);
});

test("who stands by exports nothing, and names who leads", () => {
  const standby = makeCycleView(world, undefined, { lead: { leads: false, holder: "vm-1" } });
  assert.throws(() => exportLeases(standby), { name: "NotReadyError", message: /vm-1 leads$/ });
});
