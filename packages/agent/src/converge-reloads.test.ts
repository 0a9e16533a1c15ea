// The agent's loop and its reloads: how many there are, which nginx they concern, and what they may
// not take away. On a fake host and the fake clock.

import assert from "node:assert/strict";
import { test } from "node:test";

import type { Resource } from "@fairlead/model";
import {
  acceptedPlan,
  type FakeHost,
  fakeWorld,
  laneOf,
  listenerOf,
  restartFakeAgent,
  startFakeAgent,
  vipOf,
} from "@fairlead/testkit";

const LANE = laneOf({ routerId: 51, order: ["a=192.0.2.11", "b=192.0.2.12"] });
const MEMBERS = ["192.0.2.21:8080", "192.0.2.22:8080"];

function web(): readonly Resource[] {
  return [LANE, vipOf("192.0.2.100", LANE), ...listenerOf("192.0.2.100:80/tcp", MEMBERS)];
}

test("a thousand changes of listeners in ten seconds are at most twelve reloads", async () => {
  const stage = fakeWorld();
  const a = await startFakeAgent(stage, "a");
  a.loop.accept(acceptedPlan("a", web()));
  await stage.clock.advance(5000);
  const before = a.loop.view().reloads;
  for (let change = 0; change < 1000; change += 1) {
    const port = 1000 + change;
    a.loop.accept(acceptedPlan("a", [...web(), ...listenerOf(`192.0.2.100:${port}/tcp`, MEMBERS)]));
    await stage.clock.advance(10);
    if (change === 0) assert.equal(a.loop.view().reloads, before + 1, "the first one at once");
  }
  await stage.clock.advance(2000);
  assert.ok(a.loop.view().reloads - before <= 12, `${a.loop.view().reloads - before} reloads`);
  assert.ok(a.host.lines().includes("listen 192.0.2.100:1999"), "the last one is served");
});

/** How often nginx reloads in six seconds of changes, one of whose listeners it refuses. */
async function reloadsBeside(refused: { reloadMs: number; refusalMs: number }): Promise<number> {
  const stage = fakeWorld();
  const { host } = await startFakeAgent(stage, "a");
  const slow: FakeHost["nginx"] = {
    ...host.nginx,
    apply: async (text, generation) => {
      const isRefused = text.includes(":9999");
      await stage.clock.sleep(isRefused ? refused.refusalMs : refused.reloadMs);
      if (!isRefused) return await host.nginx.apply(text, generation);
      return { kind: "refused", remark: { reason: "ConfigRejected", detail: "no" } };
    },
  };
  const a = await restartFakeAgent(stage.clock, host, slow);
  const bad = listenerOf("192.0.2.100:9999/tcp", MEMBERS);
  for (let change = 0; change < 60; change += 1) {
    const fresh = listenerOf(`192.0.2.100:${1000 + change}/tcp`, MEMBERS);
    a.loop.accept(acceptedPlan("a", [...web(), ...bad, ...fresh]));
    await stage.clock.advance(100);
  }
  return a.loop.view().reloads;
}

test("a slow host rests by its reloads, also while one listener is refused for good", async () => {
  const reloads = await reloadsBeside({ reloadMs: 800, refusalMs: 10 });
  assert.ok(reloads <= 4, `${reloads} reloads, each followed by a rest of twice its time`);
});

test("a refusal that took long keeps no change on a host whose reloads are short", async () => {
  const reloads = await reloadsBeside({ reloadMs: 50, refusalMs: 400 });
  assert.ok(reloads >= 5, `${reloads} reloads in six seconds`);
});

test("tcp and udp are served by an nginx each, and proved by that one's generation", async () => {
  const stage = fakeWorld();
  const a = await startFakeAgent(stage, "a");
  const dns = listenerOf("192.0.2.100:53/udp", MEMBERS);
  const evidence = (name: string): unknown =>
    [...a.last().resources.values()].find((entry) => entry.name === name)?.evidence;
  a.loop.accept(acceptedPlan("a", [...web(), ...dns]));
  await stage.clock.advance(50);
  const { generation, udpGeneration } = a.last().dataPlane;
  assert.notEqual(udpGeneration, generation);
  assert.deepEqual(evidence("listener/192.0.2.100/udp/53"), [{ kind: "generation" }]);
  assert.deepEqual(evidence("listener/192.0.2.100/tcp/80"), [{ kind: "generation" }]);
  a.loop.accept(acceptedPlan("a", web()));
  await stage.clock.advance(3000);
  assert.equal(a.last().dataPlane.udpGeneration, undefined, "nothing to serve: it is ended");
  assert.deepEqual(evidence("listener/192.0.2.100/tcp/80"), [{ kind: "generation" }]);
});

test("an nginx for UDP that a new agent could not reload ends with the last listener", async () => {
  const stage = fakeWorld();
  let applies = Number.NEGATIVE_INFINITY;
  const failing = (call: string): boolean => call === "nginx.apply" && (applies += 1) > 1;
  const a = await startFakeAgent(stage, "a", { failing });
  const dns = "listen 192.0.2.100:53 udp reuseport";
  a.loop.accept(acceptedPlan("a", [...web(), ...listenerOf("192.0.2.100:53/udp", MEMBERS)]));
  await stage.clock.advance(50);
  await a.loop[Symbol.asyncDispose]();
  assert.ok(a.host.lines().includes(dns));
  // The one for TCP comes first.
  applies = 0;
  const b = await restartFakeAgent(stage.clock, a.host);
  b.loop.accept(acceptedPlan("a", web()));
  applies = Number.NEGATIVE_INFINITY;
  await stage.clock.advance(60_000);
  assert.ok(!b.host.lines().includes(dns), b.host.lines().join("\n"));
});

test("an agent that comes after another serves on while one listener is refused", async () => {
  const stage = fakeWorld();
  const a = await startFakeAgent(stage, "a");
  const many = Array.from({ length: 8 }, (_, at) =>
    listenerOf(`192.0.2.100:${9000 + at}/tcp`, MEMBERS),
  );
  a.loop.accept(acceptedPlan("a", [...web(), ...many.flat()]));
  await stage.clock.advance(50);
  await a.loop[Symbol.asyncDispose]();
  const listening = a.host.lines();
  const losses: string[] = [];
  const refusing: FakeHost["nginx"] = {
    ...a.host.nginx,
    apply: async (text, generation) => {
      if (text.includes(":9999")) {
        return { kind: "refused", remark: { reason: "ConfigRejected", detail: "no" } };
      }
      const outcome = await a.host.nginx.apply(text, generation);
      losses.push(...listening.filter((line) => !a.host.lines().includes(line)));
      return outcome;
    },
  };
  const next = await restartFakeAgent(stage.clock, a.host, refusing);
  const bad = listenerOf("192.0.2.100:9999/tcp", MEMBERS);
  next.loop.accept(acceptedPlan("a", [...web(), ...many.flat(), ...bad]));
  await stage.clock.advance(5000);
  assert.deepEqual(losses, []);
  assert.equal(next.last().resources.get(bad[0].name)?.problem?.detail, "no");
});

test("after a worker of nginx died, its file is handed over again without a new plan", async () => {
  const stage = fakeWorld();
  const { host, loop } = await startFakeAgent(stage, "a");
  await loop[Symbol.asyncDispose]();
  let miscounts = false;
  const dying: FakeHost["nginx"] = {
    ...host.nginx,
    apply: (text, generation) => {
      miscounts = false;
      return host.nginx.apply(text, generation);
    },
    generationsAlive: async () =>
      (await host.nginx.generationsAlive()).map((one) => ({ ...one, miscounts })),
  };
  const a = await restartFakeAgent(stage.clock, host, dying);
  a.loop.accept(acceptedPlan("a", web()));
  await stage.clock.advance(10_000);
  const { passes } = a.loop.view();
  miscounts = true;
  await stage.clock.advance(10_000);
  assert.equal(miscounts, false);
  assert.equal(a.loop.view().passes, passes + 1);
});

test("twenty plans within a second cost two passes that reload", async () => {
  const stage = fakeWorld();
  const a = await startFakeAgent(stage, "a");
  await stage.clock.advance(2000);
  const before = a.loop.view().reloads;
  const plans = Array.from({ length: 20 }, (_, i) =>
    acceptedPlan("a", [...web(), ...listenerOf(`192.0.2.100:${9000 + i}/tcp`, [])]),
  );
  for (const plan of plans) {
    a.loop.accept(plan);
    await stage.clock.advance(40);
  }
  await stage.clock.advance(1000);
  assert.equal(a.loop.view().reloads - before, 2);
  assert.deepEqual(a.inForce(), [plans[0], plans.at(-1)], "so they are in force");
});
