// What the agent's loop finds on a host when it starts, or when its keepalived was killed: its plan
// on disk, addresses of its own and those of others. On fake hosts and the fake clock.

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  acceptedPlan,
  createFakeHost,
  fakeWorld,
  NEW_LANE,
  restartFakeAgent,
  SETTLED_LANE,
  startFakeAgent,
  webService,
} from "@fairlead/testkit";

test("after a restart without a controller the last good plan is served, without a reload", async () => {
  const stage = fakeWorld();
  const a = await startFakeAgent(stage, "a");
  a.loop.accept(acceptedPlan("a", webService()));
  await stage.clock.advance(50);
  await a.loop[Symbol.asyncDispose]();
  const again = await restartFakeAgent(stage.clock, a.host);
  await stage.clock.advance(50);
  assert.deepEqual(again.host.lines(), ["address 192.0.2.100", "listen 192.0.2.100:80"]);
  assert.equal(again.loop.view().reloads, 0);
});

test("an agent that starts again says nothing before it knows what its host runs", async () => {
  const stage = fakeWorld();
  const a = await startFakeAgent(stage, "a");
  a.loop.accept(acceptedPlan("a", webService()));
  await stage.clock.advance(1000);
  await a.loop[Symbol.asyncDispose]();
  const again = await restartFakeAgent(stage.clock, a.host);
  await stage.clock.advance(1000);
  const { lanes, resources } = again.first();
  assert.deepEqual([lanes, resources], [a.last().lanes, a.last().resources]);
  assert.deepEqual(
    lanes.map(({ state }) => state),
    ["holder"],
  );
});

test("an upgraded agent that can tell nginx nothing shuts no port that it serves", async () => {
  const stage = fakeWorld();
  let isBroken = false;
  const a = await startFakeAgent(stage, "a", {
    failing: (call) => isBroken && call === "nginx.apply",
  });
  a.loop.accept(acceptedPlan("a", webService()));
  await stage.clock.advance(1000);
  const open = a.host.guard.letsIn();
  assert.deepEqual(open, ["192.0.2.100:80/tcp"]);
  await a.loop[Symbol.asyncDispose]();
  isBroken = true;
  const upgraded = await restartFakeAgent(stage.clock, a.host);
  for (let ms = 0; ms < 12_000; ms += 100) {
    await stage.clock.advance(100);
    assert.deepEqual(a.host.guard.letsIn(), open, `${ms} ms after its start`);
  }
  assert.deepEqual(
    upgraded.last().remarks.map(({ reason }) => reason),
    ["DataPlaneDown"],
  );
  isBroken = false;
  await stage.clock.advance(6000);
  assert.deepEqual(upgraded.last().remarks, []);
  assert.deepEqual(a.host.guard.letsIn(), open);
});

test("a plan from disk takes nothing from a living holder: preempt is not believed", async () => {
  const stage = fakeWorld();
  const a = await startFakeAgent(stage, "a");
  const b = await startFakeAgent(stage, "b");
  a.loop.accept(acceptedPlan("a", webService(NEW_LANE)));
  b.loop.accept(acceptedPlan("b", webService(NEW_LANE)));
  await stage.clock.advance(50);
  await a.loop[Symbol.asyncDispose]();
  a.host.setLink(false);
  await stage.clock.advance(330);
  a.host.killKeepalived();
  a.host.setLink(true);
  const again = await restartFakeAgent(stage.clock, a.host);
  await stage.clock.advance(3000);
  assert.deepEqual(again.host.lines(), ["listen 192.0.2.100:80"]);
  assert.deepEqual(b.host.lines(), ["address 192.0.2.100", "listen 192.0.2.100:80"]);
});

test("leftovers of a keepalived that was killed are swept by the ledger", async () => {
  const stage = fakeWorld();
  const a = await startFakeAgent(stage, "a");
  a.loop.accept(acceptedPlan("a", webService()));
  await stage.clock.advance(50);
  a.host.killKeepalived();
  a.loop.accept(acceptedPlan("a", []));
  await stage.clock.advance(3000);
  assert.deepEqual(a.host.lines(), []);
});

test("an address that was there before us is used and never removed", async () => {
  const stage = fakeWorld();
  const a = await startFakeAgent(stage, "a");
  a.host.addForeign("192.0.2.100");
  a.loop.accept(acceptedPlan("a", webService()));
  await stage.clock.advance(50);
  a.loop.accept(acceptedPlan("a", []));
  await stage.clock.advance(3000);
  assert.deepEqual(a.host.lines(), ["address 192.0.2.100"]);
});

test("plan and ledger are lost under a living keepalived: its addresses are still ours", async () => {
  const { clock, segment } = fakeWorld();
  const host = createFakeHost({ name: "a", prefix: "192.0.2.11/24", segment, clock });
  const first = await restartFakeAgent(clock, host);
  first.loop.accept(acceptedPlan("a", webService()));
  await clock.advance(50);
  await first.loop[Symbol.asyncDispose]();
  await host.ledger.save([]);
  const planFile = { ...host.planFile, load: async () => ({ plan: undefined }) };
  const a = await restartFakeAgent(clock, { ...host, name: "a", planFile });
  a.loop.accept(acceptedPlan("a", webService(SETTLED_LANE)));
  for (let ms = 0; ms < 2000; ms += 20) {
    await clock.advance(20);
    assert.ok(host.lines().includes("address 192.0.2.100"), `${ms} ms after the plan`);
  }
  assert.deepEqual(a.last().remarks, []);
  assert.deepEqual(
    (await host.ledger.load()).map(({ address, foreign }) => `${address} ${foreign}`),
    ["192.0.2.100 false"],
  );
});
