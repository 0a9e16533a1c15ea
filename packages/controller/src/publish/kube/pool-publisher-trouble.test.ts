// Writes of pools' status that fail: a right that is missing, or a pool that is refused. Neither
// keeps others from theirs, and neither is trouble of who leads no more.

import assert from "node:assert/strict";
import { test } from "node:test";

import { conditionLine, NO_RIGHT_TO_LAN } from "../../kube/memory-pools.ts";
import { PoolStage, SPEC } from "../../kube/pool-stage.ts";

test("a missing right is said once, tried now and then, and over when it is given", async () => {
  await using stage = await new PoolStage().start();
  stage.cluster.put("lan", SPEC);
  await stage.pass(100);
  stage.cluster.failure = NO_RIGHT_TO_LAN;
  stage.say(1);
  await stage.pass(60_000);
  assert.equal(stage.troubles.length, 1);
  const [trouble] = stage.troubles;
  assert.ok(trouble?.kind === "finding");
  assert.equal(trouble.finding.name, "kubernetes patch addresspools.fairlead.io/status");
  assert.match(
    trouble.finding.detail,
    /--verb=patch --resource=addresspools\.fairlead\.io\/status/,
  );
  assert.ok(stage.writes() <= 12, `${stage.writes()} tries`);
  stage.cluster.failure = undefined;
  await stage.pass(40_000);
  assert.equal(stage.used(), "1/10");
  assert.equal(stage.troubles.at(-1)?.kind, "finding-cleared");
});

test("a role that names its pools holds none of them back for another one", async () => {
  await using stage = await new PoolStage().start();
  stage.cluster.put("aaa", { addresses: ["198.51.100.0/28"] });
  stage.cluster.put("lan", SPEC);
  stage.cluster.failures.set("aaa", NO_RIGHT_TO_LAN);
  for (const held of [3, 4]) {
    stage.say(held);
    await stage.pass(60_000);
    assert.equal(stage.used(), `${held}/10`);
  }
});

const REFUSALS = [
  ["SERVER", "failed calling webhook: no endpoints", 7],
  ["FORBIDDEN", "admission webhook denied the request: aaa is frozen", 7],
  ["INVALID", "status.usage: Invalid value", 1],
  ["TIMEOUT", "no answer within 30 s", 0],
] as const;

for (const [code, message, triesMin] of REFUSALS) {
  test(`a pool whose status is never taken (${code}) kept all after it without theirs`, async () => {
    await using stage = await new PoolStage().start();
    stage.cluster.put("aaa", { addresses: ["198.51.100.0/28"] });
    stage.cluster.put("lan", SPEC);
    stage.cluster.failures.set("aaa", { code, message });
    stage.say(3);
    await stage.pass(120_000);
    assert.equal(stage.used(), "3/10");
    stage.say(4);
    await stage.pass(60_000);
    assert.equal(stage.used(), "4/10");
    const tries = stage.writes("aaa");
    assert.ok(tries >= triesMin && tries <= 40, `${tries} tries`);
    const isTold = code !== "TIMEOUT";
    assert.deepEqual(stage.told(), isTold ? [`+ kubernetes pool writes: ${message}`] : []);
    // The webhook is put right, or the rule is taken back.
    stage.cluster.failures.clear();
    await stage.pass(310_000);
    assert.match(conditionLine(stage.cluster.status("aaa"), "Ready"), /^True /);
    assert.deepEqual(stage.told().slice(1), isTold ? ["- kubernetes pool writes"] : []);
  });
}

test("a pool that was refused is offered at once when somebody changes it", async () => {
  await using stage = await new PoolStage().start();
  stage.cluster.put("lan", SPEC);
  stage.cluster.failures.set("lan", { code: "INVALID", message: "too old" });
  stage.say(3);
  await stage.pass(10_000);
  assert.equal(stage.writes(), 1);
  stage.cluster.failures.clear();
  stage.cluster.put("lan", SPEC, { labels: { a: "b" } });
  await stage.pass(10_000);
  assert.equal(stage.used(), "3/10");
});

test("a refused pool is no trouble of who leads no more, or once it is deleted", async () => {
  await using stage = await new PoolStage().start();
  stage.cluster.put("lan", SPEC);
  stage.cluster.failures.set("lan", { code: "INVALID", message: "no" });
  stage.say(3);
  await stage.pass(1000);
  assert.deepEqual(stage.told(), ["+ kubernetes pool writes: no"]);
  stage.publisher.pause?.();
  assert.deepEqual(stage.told().slice(1), ["- kubernetes pool writes"]);
  stage.say(3);
  await stage.pass(10_000);
  assert.deepEqual(stage.told().slice(2), ["+ kubernetes pool writes: no"]);
  stage.cluster.remove("lan");
  await stage.pass(10_000);
  assert.deepEqual(stage.told().slice(3), ["- kubernetes pool writes"]);
});

test("whoever leads no more misses no right, and says so again when it leads again", async () => {
  await using stage = await new PoolStage().start();
  stage.cluster.put("lan", SPEC);
  await stage.pass(100);
  stage.cluster.failure = NO_RIGHT_TO_LAN;
  stage.say(1);
  await stage.pass(1000);
  stage.publisher.pause?.();
  await stage.pass(60_000);
  assert.deepEqual(kinds(stage), ["finding", "finding-cleared"]);
  stage.say(1);
  await stage.pass(60_000);
  assert.deepEqual(kinds(stage), ["finding", "finding-cleared", "finding"]);
});

test("a write that is forbidden after the lead was lost is not told", async () => {
  await using stage = await new PoolStage().start();
  stage.cluster.put("lan", SPEC);
  const { promise, resolve } = Promise.withResolvers<void>();
  stage.cluster.answer = promise;
  stage.say(1);
  await stage.pass(1000);
  assert.equal(stage.writes(), 1);
  stage.publisher.pause?.();
  stage.cluster.failure = NO_RIGHT_TO_LAN;
  resolve();
  await stage.pass(1000);
  assert.deepEqual(stage.results, ["pool forbidden"]);
  assert.deepEqual(kinds(stage), []);
});

function kinds({ troubles }: PoolStage): readonly string[] {
  return troubles.map(({ kind }) => kind);
}
