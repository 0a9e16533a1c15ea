// What the agent's loop has guarded, on a fake host whose guard knows when an address of ours was
// there without it.

import assert from "node:assert/strict";
import { test } from "node:test";

import type { Resource } from "@fairlead/model";
import {
  acceptedPlan,
  deviceVipOf,
  fakeWorld,
  laneOf,
  listenerOf,
  restartFakeAgent,
  startFakeAgent,
  vipOf,
} from "@fairlead/testkit";

const LANE = laneOf({ routerId: 51, order: ["a=192.0.2.11", "b=192.0.2.12"] });
const MEMBERS = ["192.0.2.21:8080"];

function web(last: number, ...ports: readonly number[]): readonly Resource[] {
  const listeners = ports.flatMap((port) => listenerOf(`192.0.2.${last}:${port}/tcp`, MEMBERS));
  return [vipOf(`192.0.2.${last}`, LANE), ...listeners];
}

test("holder and successor guard alike, before the address comes and until it is gone", async () => {
  const stage = fakeWorld();
  const a = await startFakeAgent(stage, "a");
  const b = await startFakeAgent(stage, "b");
  for (const { loop, host } of [a, b]) {
    loop.accept(acceptedPlan(host.name, [LANE, ...web(100, 80)]));
  }
  await stage.clock.advance(3000);
  for (const { host } of [a, b]) {
    assert.deepEqual(host.guard.vips(), ["192.0.2.100"]);
    assert.deepEqual(host.guard.letsIn(), ["192.0.2.100:80/tcp"]);
  }
  a.host.setLink(false);
  await stage.clock.advance(3000);
  assert.deepEqual(b.host.lines(), ["address 192.0.2.100", "listen 192.0.2.100:80"]);
  for (const { loop, host } of [a, b]) loop.accept(acceptedPlan(host.name, []));
  await stage.clock.advance(3000);
  for (const { host } of [a, b]) {
    assert.deepEqual([host.guard.vips(), host.guard.letsIn()], [[], []]);
    assert.deepEqual(host.guard.unguarded, []);
  }
});

test("a port of the host itself is not let in for a VIP that cannot have it", async () => {
  const stage = fakeWorld();
  const taken = { reason: "PortTaken", detail: "sshd (pid 7) has it" } as const;
  const a = await startFakeAgent(stage, "a", {
    failing: () => false,
    portTaken: (endpoint) => (endpoint.endsWith(":22/tcp") ? taken : undefined),
  });
  a.loop.accept(acceptedPlan("a", [LANE, ...web(100, 22, 80)]));
  await stage.clock.advance(50);
  assert.deepEqual(a.host.guard.letsIn(), ["192.0.2.100:80/tcp"]);
});

test("a host's own address, adopted or there before us, is none of the guard's", async () => {
  const stage = fakeWorld();
  const a = await startFakeAgent(stage, "a");
  a.host.addForeign("192.0.2.101");
  const adopted = deviceVipOf("192.0.2.11", { adopts: true });
  a.loop.accept(acceptedPlan("a", [LANE, ...web(100, 80), ...web(101, 80), adopted]));
  await stage.clock.advance(3000);
  assert.deepEqual(a.host.guard.vips(), ["192.0.2.100"]);
});

test("an agent that starts again closes nothing that is served", async () => {
  const stage = fakeWorld();
  const a = await startFakeAgent(stage, "a");
  a.loop.accept(acceptedPlan("a", [LANE, ...web(100, 80)]));
  await stage.clock.advance(3000);
  await a.loop[Symbol.asyncDispose]();
  const before = a.host.guard.asked.length;
  const again = await restartFakeAgent(stage.clock, a.host);
  await stage.clock.advance(100);
  const asked = a.host.guard.asked.slice(before, before + 2);
  const ports = asked.map(({ guarded: { listeners } }) => listeners.map(({ port }) => port));
  assert.deepEqual(ports, [[80], [80]]);
  assert.deepEqual(
    asked.map(({ keepsOthers }) => keepsOthers),
    [true, false],
  );
  assert.equal(again.loop.view().reloads, 0);
});

test("a guard that fails keeps nobody from being served, and is said", async () => {
  const stage = fakeWorld();
  let isBroken = true;
  const a = await startFakeAgent(stage, "a", {
    failing: (call) => isBroken && call === "guard.guard",
  });
  a.loop.accept(acceptedPlan("a", [LANE, ...web(100, 80)]));
  await stage.clock.advance(3000);
  assert.deepEqual(a.host.lines(), ["address 192.0.2.100", "listen 192.0.2.100:80"]);
  assert.deepEqual(
    a.last().remarks.map(({ reason }) => reason),
    ["InputUnguarded"],
  );
  const outcomes = a.loop.view().pass?.steps.filter(({ kind }) => kind === "guard") ?? [];
  assert.deepEqual(
    outcomes.map(({ outcome }) => outcome),
    ["failed", "failed"],
  );
  a.loop.accept(acceptedPlan("a", []));
  await stage.clock.advance(3000);
  assert.deepEqual(a.host.lines(), [], "what is not wanted goes all the same");
  isBroken = false;
  await stage.clock.advance(3000);
  assert.deepEqual(a.last().remarks, []);
});
