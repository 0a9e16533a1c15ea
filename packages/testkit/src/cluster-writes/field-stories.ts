// Each name under which we write keeps its own fields, and takes no more away than it had put
// there. Stories of the contract of writes; given a way to make stages.

import assert from "node:assert/strict";
import { test } from "node:test";

import { FINALIZER, writeRequest } from "@fairlead/controller";

import { childOf, isJson, type Json, listOf, textOf } from "../kube-stub/json-tree.ts";
import type { WriteStage } from "./write-stage.ts";
import {
  clear,
  external,
  hold,
  oursIn,
  recordOf,
  release,
  say,
  serve,
  STORY_TIME,
  write,
} from "./written-words.ts";

const THEIRS = "203.0.113.7";
const OURS = "192.0.2.10";

/** Registers them. */
export function testFieldWrites(make: () => Promise<WriteStage>): void {
  testNames(make);
  testStatuses(make);
  testExternal(make);
}

function testNames(make: () => Promise<WriteStage>): void {
  test("status, finalizer and external IPs come and go without each other", async () => {
    await using stage = await make();
    await stage.create("web", { finalizers: ["example.com/other"] });
    await write(stage, "web", hold, serve(OURS), external([], [OURS]));
    const all = await recordOf(stage, "web");
    assert.deepEqual(oursIn(all), [
      "fairlead-external-ips: spec",
      "fairlead-finalizer: finalizers",
      "fairlead-status: status.loadBalancer status.conditions",
    ]);
    const cleared = await write(stage, "web", clear);
    assert.deepEqual([cleared.ingress, cleared.conditions], [[], []]);
    assert.deepEqual(cleared.finalizers, ["example.com/other", FINALIZER]);
    assert.deepEqual(cleared.externalIPs, [OURS]);
    assert.deepEqual(cleared.writtenExternalIPs, [OURS]);
    const emptied = await write(stage, "web", serve(OURS), external([], []));
    assert.equal(emptied.externalIPs, undefined);
    assert.equal(emptied.writtenExternalIPs, undefined);
    assert.deepEqual(emptied.ingress, all.ingress);
    assert.deepEqual(emptied.finalizers, ["example.com/other", FINALIZER]);
    const released = await write(stage, "web", release);
    assert.deepEqual(released.finalizers, ["example.com/other"]);
    assert.deepEqual(released.ingress, all.ingress);
    assert.deepEqual(oursIn(await write(stage, "web", clear)), []);
  });
}

function testStatuses(make: () => Promise<WriteStage>): void {
  test("conditions of other types stay, whatever becomes of ours", async () => {
    await using stage = await make();
    const type = "example.com/Billed";
    const theirs = {
      type,
      status: "True",
      reason: "Paid",
      message: "",
      lastTransitionTime: STORY_TIME,
    };
    await stage.create("web", { conditions: [theirs] });
    await write(stage, "web", serve(OURS));
    assert.deepEqual(await typesIn(stage), [type, "fairlead.io/Serving"]);
    await write(stage, "web", say({ types: ["MembersReady"] }));
    assert.deepEqual(await typesIn(stage), [type, "fairlead.io/MembersReady"]);
    await write(stage, "web", clear);
    assert.deepEqual(await conditionsIn(stage), [theirs]);
  });

  test("what is said no more goes, and nothing else does", async () => {
    await using stage = await make();
    await stage.create("web");
    await write(stage, "web", say({ addresses: [OURS], types: ["Serving", "MembersReady"] }));
    const two = await write(stage, "web", say({ types: ["Serving", "MembersReady"] }));
    assert.deepEqual(two.ingress, []);
    assert.deepEqual(
      two.conditions.map(({ type }) => type),
      ["fairlead.io/Serving", "fairlead.io/MembersReady"],
    );
    assert.deepEqual(oursIn(two), ["fairlead-status: status.conditions"]);
    const one = await write(stage, "web", say({ types: ["MembersReady"] }));
    assert.deepEqual(
      one.conditions.map(({ type }) => type),
      ["fairlead.io/MembersReady"],
    );
  });

  test("addresses that another one put there stay until we say others, or none", async () => {
    await using stage = await make();
    await stage.create("web");
    await stage.edit("web", { ingress: [THEIRS] }, "metallb");
    const left = await write(stage, "web", say({ types: ["Serving"] }));
    assert.deepEqual(left.ingress, [{ ip: THEIRS, ipMode: "VIP" }]);
    const ours = await write(stage, "web", serve(OURS));
    assert.deepEqual(ours.ingress, [{ ip: OURS, ipMode: "Proxy" }]);
    await stage.edit("web", { ingress: [THEIRS] }, "metallb");
    assert.deepEqual(oursIn(await recordOf(stage, "web")), ["fairlead-status: status.conditions"]);
    const none = await write(stage, "web", serve());
    assert.deepEqual(none.ingress, []);
    assert.deepEqual(oursIn(none), ["fairlead-status: status.loadBalancer status.conditions"]);
  });

  test("a condition that a hand took away or worded otherwise is ours again once we say it", async () => {
    await using stage = await make();
    await stage.create("web");
    const said = await write(stage, "web", serve(OURS));
    const [condition] = await conditionsIn(stage);
    for (const conditions of [[], [{ ...condition, message: "by hand" }]]) {
      await stage.edit("web", { conditions });
      const again = await write(stage, "web", serve(OURS));
      assert.deepEqual(again.conditions, said.conditions);
    }
    await write(stage, "web", clear);
    assert.deepEqual(await conditionsIn(stage), []);
  });
}

function testExternal(make: () => Promise<WriteStage>): void {
  test("a status is written by its own path alone, and what is not the status is not", async () => {
    await using stage = await make();
    await stage.create("web", { externalIPs: [THEIRS] });
    const before = await write(stage, "web", hold);
    const status = writeRequest(serve(OURS)(before));
    const path = status.path.replace("/status", "");
    await stage.client.request({ ...status, path });
    const { ingress, conditions } = await recordOf(stage, "web");
    assert.deepEqual([ingress, conditions], [[], []]);
    const list = writeRequest(external([], [OURS])(await recordOf(stage, "web")));
    await stage.client.request({ ...list, path: `${path}/status` });
    const { externalIPs, finalizers } = await recordOf(stage, "web");
    assert.deepEqual([externalIPs, finalizers], [[THEIRS], [FINALIZER]]);
    await write(stage, "web", serve(OURS));
    await stage.edit("web", { externalIPs: [] });
    const after = await recordOf(stage, "web");
    assert.deepEqual(after.ingress, [{ ip: OURS, ipMode: "Proxy" }]);
    assert.equal(after.conditions.length, 1);
  });

  test("external IPs stand beside a user's, go without them, and come again over an edit", async () => {
    await using stage = await make();
    await stage.create("web", { externalIPs: [THEIRS] });
    const both = await write(stage, "web", external([THEIRS], [OURS]));
    assert.deepEqual(both.externalIPs, [THEIRS, OURS]);
    assert.deepEqual(both.writtenExternalIPs, [OURS]);
    await stage.edit("web", { externalIPs: ["203.0.113.8"] });
    const edited = await recordOf(stage, "web");
    assert.deepEqual(edited.writtenExternalIPs, [OURS], "the note is not part of the list");
    const again = await write(stage, "web", external(["203.0.113.8"], [OURS]));
    assert.deepEqual(again.externalIPs, ["203.0.113.8", OURS]);
    const theirs = await write(stage, "web", external(["203.0.113.8"], []));
    assert.deepEqual(theirs.externalIPs, ["203.0.113.8"]);
    assert.equal(theirs.writtenExternalIPs, undefined);
    const none = await write(stage, "web", external([], []));
    assert.equal(none.externalIPs, undefined);
    assert.deepEqual(oursIn(none), []);
  });
}

async function conditionsIn(stage: WriteStage): Promise<readonly Json[]> {
  const object = (await stage.look("web")) ?? {};
  return listOf(childOf(object, "status"), "conditions").filter(isJson);
}

async function typesIn(stage: WriteStage): Promise<readonly string[]> {
  return (await conditionsIn(stage)).map((condition) => textOf(condition, "type"));
}
