// The loop and a store that fails it: one that was lost, one that cannot be written, and one that
// another controller has taken.

import assert from "node:assert/strict";
import { suite, test } from "node:test";

import {
  agentHello,
  claimGone,
  claimSeen,
  createMemoryStore,
  type CycleStage,
  makeClaim,
  makeCycleStage,
  ROUND_MS,
} from "@fairlead/testkit";

suite("a store that was lost", () => {
  test("plans carry an epoch above all that agents obeyed, durably", async () => {
    await using stage = makeCycleStage({ claims: [makeClaim("web")] });
    await stage.cycle.start();
    stage.cycle.emit([agentHello("a", 11, 41), agentHello("b", 12, 7)]);
    await stage.clock.advance(4900);
    assert.equal(stage.delivered.length, 0, "agents alone know what the store knew");
    await stage.clock.advance(ROUND_MS);
    assert.equal(stage.delivered.at(-1)?.epoch, 42);
    assert.equal(stage.medium.epoch, 42);
    assert.equal(stage.cycle.view().epoch, 42);
    stage.cycle.emit([agentHello("c", 13, 50)]);
    await stage.clock.advance(ROUND_MS);
    assert.equal(stage.delivered.at(-1)?.epoch, 51);
    assert.deepEqual(stage.fencedBy, []);
  });
});

suite("a store that cannot be written", () => {
  test("keeps what is new from being shown, and is tried again", async () => {
    await using stage = makeCycleStage();
    await stage.cycle.start();
    await stage.clock.advance(ROUND_MS);
    stage.disk.isFull = true;
    stage.say(claimSeen(makeClaim("web")));
    await stage.clock.advance(3000);
    assert.equal(stage.delivered.at(-1)?.leases.size, 0);
    assert.equal(stage.line("web"), undefined);
    assert.match(stage.cycle.view().notReady ?? "", /the disk is full/);
    const findings = stage.published.at(-1)?.findings.map(({ reason }) => reason);
    assert.deepEqual(findings, ["StoreUnavailable"]);
    stage.disk.isFull = false;
    await stage.clock.advance(1100);
    assert.equal(stage.line("web"), "pending 192.0.2.100 NoAgents");
    assert.equal(stage.cycle.view().notReady, undefined);
    assert.deepEqual(stage.published.at(-1)?.findings, []);
  });
});

suite("while a new Service waits for a full disk", () => {
  const isWebServed = (stage: CycleStage): boolean => stage.line("web") === "ready 192.0.2.100";

  async function makeServed(): Promise<CycleStage> {
    const stage = makeCycleStage({ claims: [makeClaim("web")] });
    await stage.cycle.start();
    stage.cycle.emit([agentHello("a", 11)]);
    await stage.clock.advance(ROUND_MS);
    for (let round = 0; round < 2; round += 1) {
      stage.cycle.emit([stage.proof("a")]);
      await stage.clock.advance(1000);
    }
    assert.ok(isWebServed(stage));
    return stage;
  }

  test("members of the others change all the same", async () => {
    await using stage = await makeServed();
    stage.disk.isFull = true;
    stage.say(claimSeen(makeClaim("new")));
    await stage.clock.advance(500);
    stage.say(claimSeen(makeClaim("web", { members: ["10.9.9.9:80"] })));
    await stage.clock.advance(500);
    const sent = [...(stage.delivered.at(-1)?.plans.values() ?? [])];
    const members = sent.flatMap(({ resources }) => [...resources.values()]);
    assert.ok(JSON.stringify(members).includes("10.9.9.9"));
    assert.ok(!JSON.stringify(members).includes("192.0.2.101"), "nothing of the new one is sent");
    assert.equal(stage.line("new"), undefined);
    assert.match(stage.cycle.view().notReady ?? "", /the disk is full/);
    stage.disk.isFull = false;
    await stage.clock.advance(1100);
    assert.equal(stage.line("new"), "pending 192.0.2.101 NotHeld");
  });

  test("its deletion leaves nothing to write, and the disk is as full as before", async () => {
    await using stage = await makeServed();
    stage.disk.isFull = true;
    const late = makeClaim("new");
    stage.say(claimSeen(late));
    await stage.clock.advance(500);
    stage.say(claimGone(late));
    await stage.clock.advance(500);
    assert.match(stage.cycle.view().notReady ?? "", /the disk is full/);
    stage.disk.isFull = false;
    await stage.clock.advance(1100);
    assert.equal(stage.cycle.view().notReady, undefined);
    assert.deepEqual(stage.published.at(-1)?.findings, []);
  });
});

test("a controller whose epoch was taken stops planning and says who took it", async () => {
  await using stage = makeCycleStage();
  await stage.cycle.start();
  await stage.clock.advance(ROUND_MS);
  await createMemoryStore({ medium: stage.medium }).open();
  stage.say(claimSeen(makeClaim("web")));
  await stage.clock.advance(100);
  assert.deepEqual(stage.fencedBy, [2]);
  assert.equal(stage.line("web"), undefined);
  assert.equal(stage.cycle.view().notReady, "another controller took over");
  stage.say(claimSeen(makeClaim("more")));
  await stage.clock.advance(5000);
  assert.equal(stage.fencedBy.length, 1);
});
