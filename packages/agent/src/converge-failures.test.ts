// Calls to a fake host that fail for a while, one kind a story: nothing is said to be so that is
// not, and what was not done is done later without a newer plan.

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  acceptedPlan,
  createFakeHost,
  deviceVipOf,
  type FakeHost,
  fakeWorld,
  listenerOf,
  NEW_LANE,
  restartFakeAgent,
  SETTLED_LANE,
  startFakeAgent,
  vipOf,
  WEB_MEMBERS,
  webService,
} from "@fairlead/testkit";

test("its listener goes with the plan, although nginx failed when the plan went", async () => {
  const stage = fakeWorld();
  let isBroken = false;
  const a = await startFakeAgent(stage, "a", {
    failing: (call) => isBroken && call === "nginx.apply",
  });
  a.host.addForeign("192.0.2.100");
  a.loop.accept(acceptedPlan("a", webService()));
  await stage.clock.advance(50);
  isBroken = true;
  a.loop.accept(acceptedPlan("a", []));
  await stage.clock.advance(3000);
  isBroken = false;
  await stage.clock.advance(10_000);
  assert.deepEqual(a.host.lines(), ["address 192.0.2.100"]);
});

test("an address without VRRP leaves a host whose nginx fails, so that another one gets it", async () => {
  const stage = fakeWorld();
  let isBroken = false;
  const a = await startFakeAgent(stage, "a", {
    failing: (call) => isBroken && call === "nginx.apply",
  });
  const vip = deviceVipOf("192.0.2.100");
  a.loop.accept(acceptedPlan("a", [vip, ...listenerOf("192.0.2.100:80/tcp", WEB_MEMBERS)]));
  await stage.clock.advance(2000);
  assert.ok(a.host.lines().includes("address 192.0.2.100"));
  isBroken = true;
  a.loop.accept(acceptedPlan("a", []));
  await stage.clock.advance(10_000);
  assert.ok(!a.host.lines().includes("address 192.0.2.100"), "it is gone from the host");
  assert.equal(a.last().resources.has(vip.name), false, "and nobody waits for it");
  isBroken = false;
  await stage.clock.advance(10_000);
  assert.deepEqual(a.host.lines(), []);
});

test("no address appears that the ledger could not name: a full disk stops it", async () => {
  const stage = fakeWorld();
  let isFull = true;
  const a = await startFakeAgent(stage, "a", {
    failing: (call) => isFull && call === "ledger.save",
  });
  a.loop.accept(acceptedPlan("a", webService()));
  await stage.clock.advance(50);
  assert.deepEqual(a.host.lines(), ["listen 192.0.2.100:80"]);
  assert.equal(a.last().remarks[0]?.reason, "DiskUnwritable");
  isFull = false;
  await stage.clock.advance(6000);
  assert.deepEqual(a.host.lines(), ["address 192.0.2.100", "listen 192.0.2.100:80"]);
});

test("an address that keepalived may still take is not said to be gone", async () => {
  const stage = fakeWorld();
  let isBroken = false;
  const a = await startFakeAgent(stage, "a");
  const b = await startFakeAgent(stage, "b", {
    failing: (call) => isBroken && call === "keepalived.apply",
  });
  a.loop.accept(acceptedPlan("a", webService(SETTLED_LANE)));
  b.loop.accept(acceptedPlan("b", webService(SETTLED_LANE)));
  await stage.clock.advance(1500);
  isBroken = true;
  b.loop.accept(acceptedPlan("b", webService(SETTLED_LANE, "192.0.2.101")));
  const vip = vipOf("192.0.2.100", SETTLED_LANE).name;
  await stage.clock.advance(1500);
  assert.equal(b.last().resources.get(vip)?.step, "applied");
  a.host.setLink(false);
  await stage.clock.advance(500);
  assert.ok(b.host.lines().includes("address 192.0.2.100"), "it did take it");
  isBroken = false;
  await stage.clock.advance(10_000);
  assert.equal(b.last().resources.has(vip), false);
  assert.deepEqual(b.host.lines(), ["address 192.0.2.101", "listen 192.0.2.101:80"]);
});

test("an address of a plan that was overtaken in the middle of its pass is not said to be gone", async () => {
  const { clock, segment } = fakeWorld();
  const host = createFakeHost({ name: "a", prefix: "192.0.2.11/24", segment, clock });
  const save: FakeHost["planFile"]["save"] = async (plan) => {
    await clock.sleep(1500);
    await host.planFile.save(plan);
  };
  const a = await restartFakeAgent(clock, { ...host, planFile: { ...host.planFile, save } });
  a.loop.accept(acceptedPlan("a", webService()));
  await clock.advance(5000);
  const passing = vipOf("192.0.2.101", NEW_LANE);
  const more = [passing, ...listenerOf("192.0.2.101:80/tcp", WEB_MEMBERS)];
  a.loop.accept(acceptedPlan("a", [...webService(), ...more]));
  await clock.advance(10);
  a.loop.accept(acceptedPlan("a", webService()));
  await clock.advance(1200);
  assert.ok(!host.lines().includes("address 192.0.2.101"), "it is still to come");
  assert.equal(a.last().planRevision, acceptedPlan("a", webService()).revision);
  assert.equal(a.last().resources.get(passing.name)?.step, "received");
  await clock.advance(10_000);
  assert.deepEqual(host.lines(), ["address 192.0.2.100", "listen 192.0.2.100:80"]);
  assert.equal(a.last().resources.has(passing.name), false);
});

test("a plan that the disk did not take is written later, and served after the next start", async () => {
  const stage = fakeWorld();
  let isFull = true;
  const a = await startFakeAgent(stage, "a", {
    failing: (call) => isFull && call === "planFile.save",
  });
  a.loop.accept(acceptedPlan("a", webService()));
  await stage.clock.advance(50);
  assert.deepEqual(a.host.lines(), ["address 192.0.2.100", "listen 192.0.2.100:80"]);
  assert.equal(a.last().remarks[0]?.reason, "DiskUnwritable");
  isFull = false;
  await stage.clock.advance(6000);
  assert.deepEqual(a.last().remarks, []);
  assert.notEqual((await a.host.planFile.load()).plan, undefined);
});

test("only the plan on a full disk names a VIP: it was taken for gone, and came at the next boot", async () => {
  const stage = fakeWorld();
  const full = new Set(["ledger.save"]);
  const failing = (call: string): boolean => full.has(call);
  const a = await startFakeAgent(stage, "a", { failing });
  a.loop.accept(acceptedPlan("a", webService()));
  await stage.clock.advance(50);
  full.add("planFile.save");
  await a.loop[Symbol.asyncDispose]();
  const next = await restartFakeAgent(stage.clock, a.host);
  next.loop.accept(acceptedPlan("a", []));
  await stage.clock.advance(2000);
  const isSaid = (): boolean => next.last().resources.has(vipOf("192.0.2.100", SETTLED_LANE).name);
  assert.deepEqual([next.host.lines(), isSaid()], [[], true]);
  full.clear();
  await stage.clock.advance(10_000);
  assert.equal(isSaid(), false, "the next start does not know of it");
});

test("a pass that the kernel broke off is made again, without a newer plan", async () => {
  const stage = fakeWorld();
  let isDeaf = false;
  const a = await startFakeAgent(stage, "a", {
    failing: (call) => isDeaf && call === "kernel.view",
  });
  isDeaf = true;
  a.loop.accept(acceptedPlan("a", webService()));
  await stage.clock.advance(50);
  assert.deepEqual(a.host.lines(), []);
  isDeaf = false;
  await stage.clock.advance(6000);
  assert.deepEqual(a.host.lines(), ["address 192.0.2.100", "listen 192.0.2.100:80"]);
});

test("a daemon that nobody starts again is started by the agent, without a newer plan", async () => {
  const stage = fakeWorld();
  const a = await startFakeAgent(stage, "a");
  a.loop.accept(acceptedPlan("a", webService()));
  await stage.clock.advance(2000);
  a.host.killKeepalived();
  a.host.killNginx();
  await stage.clock.advance(1500);
  const down = a.last().remarks.map(({ reason }) => reason);
  assert.deepEqual(down, ["DataPlaneDown", "DataPlaneDown"]);
  await stage.clock.advance(7000);
  assert.deepEqual(a.last().remarks, []);
  assert.deepEqual(a.host.lines(), ["address 192.0.2.100", "listen 192.0.2.100:80"]);
});

test("a host that cannot be looked at says so, and nothing of a plan that came since", async () => {
  const stage = fakeWorld();
  let isBlind = false;
  const a = await startFakeAgent(stage, "a", {
    failing: (call) => isBlind && call === "kernel.view",
  });
  a.loop.accept(acceptedPlan("a", webService()));
  await stage.clock.advance(5000);
  const { resources, planRevision } = a.last();
  isBlind = true;
  await stage.clock.advance(2500);
  const [said, ...others] = a.last().remarks;
  assert.deepEqual([said?.reason, others], ["DataPlaneDown", []]);
  assert.match(said?.detail ?? "", /^cannot look at its host, and reports what it saw last: ./);
  assert.deepEqual([a.last().resources, a.last().planRevision], [resources, planRevision]);
  const blind = a.last();
  a.loop.accept(acceptedPlan("a", webService(SETTLED_LANE)));
  await stage.clock.advance(2500);
  assert.equal(a.last(), blind);
  isBlind = false;
  await stage.clock.advance(6000);
  assert.deepEqual(a.last().remarks, []);
  assert.notEqual(a.last().planRevision, planRevision);
});
