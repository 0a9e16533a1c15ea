// Members on fake hosts, apart from passes: what is connected to changes at once, whatever nginx is
// doing, and what nobody connects to yet costs nothing before its pass.

import assert from "node:assert/strict";
import { test } from "node:test";

import type { Resource } from "@fairlead/model";
import {
  acceptedPlan,
  createFakeHost,
  type FakeHost,
  fakeWorld,
  laneOf,
  listenerOf,
  restartFakeAgent,
  startFakeAgent,
  vipOf,
} from "@fairlead/testkit";

import { agentReadiness } from "./metrics.ts";

const ORDER = ["a=192.0.2.11", "b=192.0.2.12", "c=192.0.2.13"];
const NEW = laneOf({ routerId: 51, order: ORDER });
const MEMBERS = ["192.0.2.21:8080", "192.0.2.22:8080"];
const MEMBERS_NAME = listenerOf("192.0.2.100:80/tcp", [])[1].name;

function web(members = MEMBERS): readonly Resource[] {
  return [NEW, vipOf("192.0.2.100", NEW), ...listenerOf("192.0.2.100:80/tcp", members)];
}

test("members change at once and without a reload, also in the second after one", async () => {
  const stage = fakeWorld();
  const a = await startFakeAgent(stage, "a");
  a.loop.accept(acceptedPlan("a", web()));
  await stage.clock.advance(50);
  const { reloads } = a.loop.view();
  a.loop.accept(acceptedPlan("a", web(["192.0.2.23:8080"])));
  await stage.clock.advance(10);
  assert.deepEqual(a.host.memberTable.membersOf("192.0.2.100:80"), ["192.0.2.23:8080"]);
  await stage.clock.advance(3000);
  assert.equal(a.loop.view().reloads, reloads);
  assert.equal(a.last().resources.get(MEMBERS_NAME)?.step, "serving");
});

test("members that change while a pass runs stay changed when it ends", async () => {
  const { clock, segment } = fakeWorld();
  const host = createFakeHost({ name: "a", prefix: "192.0.2.11/24", segment, clock });
  const apply: FakeHost["nginx"]["apply"] = async (text, generation) => {
    await clock.sleep(100);
    return await host.nginx.apply(text, generation);
  };
  const a = await restartFakeAgent(clock, { ...host, nginx: { ...host.nginx, apply } });
  a.loop.accept(acceptedPlan("a", web()));
  await clock.advance(50);
  a.loop.accept(acceptedPlan("a", web(["192.0.2.23:8080"])));
  for (let elapsedMs = 0; elapsedMs < 200; elapsedMs += 10) {
    await clock.advance(10);
    assert.deepEqual(host.memberTable.membersOf("192.0.2.100:80"), ["192.0.2.23:8080"]);
  }
});

test("members of a new listener come with the pass that serves it", async () => {
  const stage = fakeWorld();
  const a = await startFakeAgent(stage, "a");
  a.loop.accept(acceptedPlan("a", web()));
  await stage.clock.advance(50);
  const more = [vipOf("192.0.2.101", NEW), ...listenerOf("192.0.2.101:80/tcp", MEMBERS)];
  a.loop.accept(acceptedPlan("a", [...web(), ...more]));
  await stage.clock.advance(500);
  assert.deepEqual(a.host.memberTable.membersOf("192.0.2.101:80"), []);
  await stage.clock.advance(1000);
  assert.deepEqual(a.host.memberTable.membersOf("192.0.2.101:80"), MEMBERS);
});

test("members that the kernel does not take are not reported, and come when it does", async () => {
  const stage = fakeWorld();
  let isBroken = false;
  const failing = (call: string): boolean => isBroken && call === "members.fill";
  const a = await startFakeAgent(stage, "a", { failing });
  a.loop.accept(acceptedPlan("a", web()));
  await stage.clock.advance(50);
  const before = a.last().resources.get(MEMBERS_NAME)?.revision;
  isBroken = true;
  a.loop.accept(acceptedPlan("a", web(["192.0.2.23:8080"])));
  await stage.clock.advance(2000);
  assert.equal(a.last().resources.get(MEMBERS_NAME)?.revision, before);
  assert.match(
    a
      .last()
      .remarks.map(({ detail }) => detail)
      .join(),
    /members\.fill fails/,
  );
  isBroken = false;
  await stage.clock.advance(6000);
  assert.notEqual(a.last().resources.get(MEMBERS_NAME)?.revision, before);
  assert.deepEqual(a.last().remarks, []);
});

test("a table that somebody flushed is filled again", async () => {
  const stage = fakeWorld();
  const a = await startFakeAgent(stage, "a");
  a.loop.accept(acceptedPlan("a", web()));
  await stage.clock.advance(2000);
  a.host.memberTable.flush();
  assert.deepEqual(a.host.memberTable.membersOf("192.0.2.100:80"), []);
  await stage.clock.advance(1000);
  assert.deepEqual(a.host.memberTable.membersOf("192.0.2.100:80"), MEMBERS);
});

test("a table flushed in the rest after a reload is filled again at once", async () => {
  const stage = fakeWorld();
  const a = await startFakeAgent(stage, "a");
  a.loop.accept(acceptedPlan("a", web()));
  await stage.clock.advance(50);
  const { passes } = a.loop.view();
  a.host.memberTable.flush();
  assert.deepEqual(a.host.memberTable.membersOf("192.0.2.100:80"), []);
  await stage.clock.advance(1);
  assert.deepEqual(a.host.memberTable.membersOf("192.0.2.100:80"), MEMBERS);
  assert.equal(a.loop.view().passes, passes, "the next pass has to wait");
});

test("routes that somebody removed are put back within the second, and nothing reloads", async () => {
  const stage = fakeWorld();
  const a = await startFakeAgent(stage, "a");
  a.loop.accept(acceptedPlan("a", web()));
  await stage.clock.advance(2000);
  const { reloads } = a.loop.view();
  a.host.memberTable.unroute();
  assert.deepEqual(a.host.memberTable.membersOf("192.0.2.100:80"), []);
  await stage.clock.advance(1000);
  assert.deepEqual(a.host.memberTable.membersOf("192.0.2.100:80"), MEMBERS);
  assert.equal(a.loop.view().reloads, reloads);
});

test("a listener whose members no route leads to is not proved, and the host says why", async () => {
  const stage = fakeWorld();
  let isBroken = false;
  const failing = (call: string): boolean => isBroken && call === "members.route";
  const a = await startFakeAgent(stage, "a", { failing });
  a.loop.accept(acceptedPlan("a", web()));
  await stage.clock.advance(2000);
  isBroken = true;
  a.host.memberTable.unroute();
  await stage.clock.advance(1100);
  const listener = listenerOf("192.0.2.100:80/tcp", [])[0].name;
  assert.equal(a.last().resources.get(listener)?.step, "applied");
  assert.equal(a.last().resources.get(MEMBERS_NAME)?.step, "applied");
  assert.deepEqual(a.last().remarks, [
    { reason: "DataPlaneDown", detail: "members.route fails now" },
  ]);
  const readiness = agentReadiness(a.loop.view(), true);
  assert.equal(readiness.ok, false);
  isBroken = false;
  await stage.clock.advance(1000);
  assert.equal(a.last().resources.get(listener)?.step, "serving");
  assert.deepEqual(a.last().remarks, []);
  assert.equal(agentReadiness(a.loop.view(), true).ok, true);
});

test("a table that is lost and not to be had is not ready, and nothing of it is called served", async () => {
  const stage = fakeWorld();
  let isBroken = false;
  const failing = (call: string): boolean => isBroken && call === "members.fill";
  const a = await startFakeAgent(stage, "a", { failing });
  a.loop.accept(acceptedPlan("a", web()));
  await stage.clock.advance(2000);
  assert.equal(agentReadiness(a.loop.view(), true).ok, true);
  isBroken = true;
  a.host.memberTable.flush();
  await stage.clock.advance(100);
  assert.equal(a.host.memberTable.table.isLost, true);
  assert.equal(a.last().resources.get(MEMBERS_NAME)?.step, "received");
  // Nor is what a newer plan brings, while the table is gone.
  a.loop.accept(
    acceptedPlan("a", [...web(), ...listenerOf("192.0.2.101:80/tcp", ["10.0.0.9:80"])]),
  );
  await stage.clock.advance(2000);
  assert.equal(a.last().resources.get(MEMBERS_NAME)?.step, "received");
  const { ok, detail } = agentReadiness(a.loop.view(), true);
  assert.equal(ok, false);
  assert.match(
    detail.find(({ name }) => name === "data-plane")?.detail ?? "",
    /members.fill fails/,
  );
  isBroken = false;
  await stage.clock.advance(6000);
  assert.equal(a.host.memberTable.table.isLost, false);
  assert.equal(a.last().resources.get(MEMBERS_NAME)?.step, "serving");
  assert.equal(agentReadiness(a.loop.view(), true).ok, true);
});

test("a listener that goes keeps its members until nginx has let it go", async () => {
  const stage = fakeWorld();
  let isBroken = false;
  const failing = (call: string): boolean => isBroken && call === "nginx.apply";
  const a = await startFakeAgent(stage, "a", { failing });
  const more = [vipOf("192.0.2.101", NEW), ...listenerOf("192.0.2.101:80/tcp", MEMBERS)];
  a.loop.accept(acceptedPlan("a", [...web(), ...more]));
  await stage.clock.advance(2000);
  isBroken = true;
  a.loop.accept(acceptedPlan("a", web()));
  await stage.clock.advance(2000);
  assert.deepEqual(a.host.memberTable.membersOf("192.0.2.101:80"), MEMBERS);
  isBroken = false;
  await stage.clock.advance(8000);
  assert.deepEqual(a.host.memberTable.membersOf("192.0.2.101:80"), []);
});
