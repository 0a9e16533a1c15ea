// The status of pools in a cluster in memory, on a fake clock: what is written, how often, and what
// is not while another controller speaks.

import assert from "node:assert/strict";
import { test } from "node:test";

import type { Finding } from "@fairlead/model";

import { conditionLine } from "../../kube/memory-pools.ts";
import { PoolStage, SPEC } from "../../kube/pool-stage.ts";

const outside: Finding = {
  subject: "pool",
  name: "lan",
  reason: "HeldOutside",
  detail: "192.0.2.99 is held outside of what it gives, and kept",
};

test("usage and conditions are written, and nothing when nothing changed", async () => {
  await using stage = await new PoolStage().start();
  stage.cluster.put("lan", SPEC);
  stage.say(3);
  await stage.pass(1000);
  const status = stage.cluster.status("lan");
  assert.deepEqual(status["usage"], {
    ipv4: { size: "10", held: 3, draining: 0, quarantined: 0, used: "3/10" },
  });
  assert.equal(status["observedGeneration"], 1);
  assert.equal(conditionLine(status, "Ready"), "True InUse The pool gives addresses.");
  assert.equal(conditionLine(status, "Available"), "True HasRoom Addresses are free.");
  assert.match(conditionLine(status, "HeldInside"), /^True Fits /);
  for (let n = 0; n < 50; n += 1) {
    stage.say(3);
    await stage.pass(1000);
  }
  assert.equal(stage.writes(), 1);
  assert.deepEqual(stage.results, ["pool written"]);
});

test("a thousand publications in twenty seconds cost a few writes, and the last one is told", async () => {
  await using stage = await new PoolStage().start();
  stage.cluster.put("lan", { addresses: ["192.0.0.0/16"] });
  for (let n = 1; n <= 100; n += 1) {
    for (let m = 0; m < 10; m += 1) stage.say(n);
    await stage.pass(200);
  }
  await stage.pass(6000);
  assert.equal(stage.used(), "100/65536");
  assert.ok(stage.writes() <= 6, `${stage.writes()} writes`);
});

test("a full pool, one that is not used and what is held outside are told", async () => {
  await using stage = await new PoolStage().start();
  stage.cluster.put("lan", SPEC);
  stage.say(10, [outside]);
  await stage.pass(1000);
  let status = stage.cluster.status("lan");
  assert.equal(conditionLine(status, "Available"), "False PoolExhausted All 10 of ipv4 are given.");
  const { detail } = outside;
  assert.equal(conditionLine(status, "HeldInside"), `False HeldOutside ${detail}.`);
  assert.match(conditionLine(status, "Ready"), /^True /);
  const why = "it overlaps with wan";
  const overlap: Finding = { ...outside, reason: "PoolOverlap", detail: why };
  stage.say(10, [overlap]);
  await stage.pass(6000);
  status = stage.cluster.status("lan");
  assert.equal(conditionLine(status, "Ready"), "False PoolOverlap it overlaps with wan.");
  assert.match(conditionLine(status, "Available"), /^False NotReady /);
});

test("a pool that cannot be read says why in its status", async () => {
  await using stage = await new PoolStage().start();
  stage.cluster.put("lan", { addresses: ["192.0.2.9-192.0.2.1"] });
  stage.say(0);
  await stage.pass(1000);
  const status = stage.cluster.status("lan");
  assert.match(conditionLine(status, "Ready"), /^False BadPoolRange .*above the last\.$/);
  assert.equal(status["usage"], undefined);
});

test("what somebody writes over it is put right, and times of what stays are kept", async () => {
  await using stage = await new PoolStage().start();
  stage.cluster.put("lan", SPEC);
  stage.say(1);
  await stage.pass(1000);
  const before = stage.cluster.status("lan");
  await stage.pass(60_000);
  const usage = { size: "10", held: 9, draining: 0, quarantined: 0, used: "9/10" };
  stage.cluster.say("lan", { observedGeneration: 9, usage: { ipv4: usage } });
  await stage.pass(10_000);
  assert.deepEqual(stage.cluster.status("lan"), before);
  stage.cluster.put("lan", { ...SPEC, autoAssign: false });
  await stage.pass(10_000);
  const after = stage.cluster.status("lan");
  assert.equal(after["observedGeneration"], 2);
  const times = (status: typeof before): unknown =>
    (status["conditions"] as readonly { readonly lastTransitionTime: string }[]).map(
      ({ lastTransitionTime }) => lastTransitionTime,
    );
  assert.deepEqual(times(after), times(before));
});

test("a condition of somebody else's had a pool's status written at every look", async () => {
  await using stage = await new PoolStage().start();
  stage.cluster.put("lan", SPEC);
  stage.say(3);
  await stage.pass(1000);
  const theirs = { type: "Audited", status: "True", reason: "Yearly", message: "" };
  stage.cluster.say("lan", { conditions: [theirs] });
  for (let n = 0; n < 30; n += 1) {
    stage.say(3);
    await stage.pass(1000);
  }
  assert.ok(stage.writes() <= 2, `${stage.writes()} writes`);
  stage.say(4);
  await stage.pass(6000);
  assert.equal(stage.used(), "4/10");
  assert.match(conditionLine(stage.cluster.status("lan"), "Audited"), /^True Yearly/);
});

test("a pool that goes before its turn is not written", async () => {
  await using stage = await new PoolStage().start();
  stage.cluster.put("lan", SPEC);
  stage.say(1);
  stage.cluster.remove("lan");
  await stage.pass(10_000);
  assert.equal(stage.writes(), 0);
});

test("once another controller speaks nothing is written before the next publication", async () => {
  await using stage = await new PoolStage().start();
  stage.cluster.put("lan", SPEC);
  stage.say(3);
  stage.publisher.pause?.();
  await stage.pass(60_000);
  assert.equal(stage.writes(), 0);
  stage.say(4);
  await stage.pass(1000);
  assert.equal(stage.used(), "4/10");
});

test("a server that does not answer holds nobody up who stops", async () => {
  await using stage = await new PoolStage().start();
  stage.cluster.put("lan", SPEC);
  stage.cluster.answer = Promise.withResolvers<void>().promise;
  stage.say(1);
  await stage.pass(1000);
  assert.equal(stage.writes(), 1);
  await stage.publisher[Symbol.asyncDispose]();
  assert.deepEqual(stage.results, []);
});
