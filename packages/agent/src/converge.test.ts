// The agent's loop on fake hosts of one segment, on the fake clock: what an operator would see.

import assert from "node:assert/strict";
import { test } from "node:test";

import type { Resource } from "@fairlead/model";
import {
  acceptedPlan,
  createFakeHost,
  type FakeHost,
  laneOf,
  listenerOf,
  vipOf,
  restartFakeAgent,
  startFakeAgent,
  fakeWorld,
} from "@fairlead/testkit";

const ORDER = ["a=192.0.2.11", "b=192.0.2.12", "c=192.0.2.13"];
const SETTLED = laneOf({ routerId: 51, order: ORDER, preempt: false });
const NEW = laneOf({ routerId: 51, order: ORDER });
const MEMBERS = ["192.0.2.21:8080", "192.0.2.22:8080"];

function web(lane = NEW, vip = "192.0.2.100", members = MEMBERS): readonly Resource[] {
  return [lane, vipOf(vip, lane), ...listenerOf(`${vip}:80/tcp`, members)];
}

test("a plan is served: listener first, then the address, and both are proved", async () => {
  const stage = fakeWorld();
  const a = await startFakeAgent(stage, "a");
  a.loop.accept(acceptedPlan("a", web()));
  await stage.clock.advance(50);
  assert.deepEqual(a.host.lines(), ["address 192.0.2.100", "listen 192.0.2.100:80"]);
  const report = a.last();
  assert.deepEqual(
    [...report.resources].map(([name, entry]) => `${name} ${entry.step}`).toSorted(),
    [
      "lane/192.0.2.0/24#51 serving",
      "listener/192.0.2.100/tcp/80 serving",
      "members/192.0.2.100/tcp/80 serving",
      "vip/192.0.2.100 serving",
    ],
  );
  assert.deepEqual(report.lanes, [{ name: NEW.name, state: "holder", order: NEW.order }]);
  assert.deepEqual(
    report.links.map((link) => link.prefixes.map((prefix) => prefix.address)),
    [["192.0.2.11"]],
    "VIPs and anchors are not the host's own addresses",
  );
});

test("what is served stays proved while nginx goes from one generation to the next", async () => {
  const { clock, segment } = fakeWorld();
  const host = createFakeHost({ name: "a", prefix: "192.0.2.11/24", segment, clock });
  const slowNginx: FakeHost["nginx"] = {
    ...host.nginx,
    apply: async (text, generation) => {
      const outcome = await host.nginx.apply(text, generation);
      await clock.sleep(200);
      return outcome;
    },
  };
  const a = await restartFakeAgent(clock, host, slowNginx);
  a.loop.accept(acceptedPlan("a", web()));
  await clock.advance(3000);
  const step = (): string | undefined =>
    [...a.last().resources.values()].find(({ name }) => name === "listener/192.0.2.100/tcp/80")
      ?.step;
  assert.equal(step(), "serving");
  const more = [vipOf("192.0.2.101", NEW), ...listenerOf("192.0.2.101:80/tcp", MEMBERS)];
  a.loop.accept(acceptedPlan("a", [...web(), ...more]));
  for (let ms = 0; ms < 400; ms += 20) {
    host.addForeign(`203.0.113.${ms / 20}`);
    await clock.advance(20);
    assert.equal(step(), "serving", `${ms} ms after the change`);
  }
  assert.ok(host.lines().includes("listen 192.0.2.101:80"));
  host.killNginx();
  await clock.advance(1100);
  assert.notEqual(step(), "serving", "what does not answer is not proved");
});

test("the successor proves that it does not hold what the holder holds", async () => {
  const stage = fakeWorld();
  const a = await startFakeAgent(stage, "a");
  const b = await startFakeAgent(stage, "b");
  a.loop.accept(acceptedPlan("a", web()));
  b.loop.accept(acceptedPlan("b", web()));
  await stage.clock.advance(50);
  assert.deepEqual(b.host.lines(), ["listen 192.0.2.100:80"]);
  assert.equal(b.last().resources.get(vipOf("192.0.2.100", NEW).name)?.step, "applied");
  assert.equal(b.last().lanes[0]?.state, "successor");
});

test("the holder's link is cut: the successor holds within 300 ms and says so", async () => {
  const stage = fakeWorld();
  const a = await startFakeAgent(stage, "a");
  const b = await startFakeAgent(stage, "b");
  a.loop.accept(acceptedPlan("a", web(SETTLED)));
  b.loop.accept(acceptedPlan("b", web(SETTLED)));
  await stage.clock.advance(50);
  a.host.setLink(false);
  await stage.clock.advance(330);
  assert.deepEqual(b.host.lines(), ["address 192.0.2.100", "listen 192.0.2.100:80"]);
  assert.equal(b.last().lanes[0]?.state, "holder");
  assert.equal(a.last().lanes[0]?.state, "fault");
  a.host.setLink(true);
  await stage.clock.advance(1000);
  assert.deepEqual(a.host.lines(), ["listen 192.0.2.100:80"], "a returning host takes nothing");
});

test("a deleted Service loses its address before its listener, and nothing is left", async () => {
  const stage = fakeWorld();
  const a = await startFakeAgent(stage, "a");
  a.loop.accept(acceptedPlan("a", web()));
  await stage.clock.advance(50);
  a.loop.accept(acceptedPlan("a", []));
  await stage.clock.advance(1010);
  assert.deepEqual(a.host.lines(), ["listen 192.0.2.100:80"]);
  await stage.clock.advance(1010);
  assert.deepEqual(a.host.lines(), []);
  assert.deepEqual(await a.host.ledger.load(), []);
});

test("a port that another process has is left out by name, and the others serve", async () => {
  const stage = fakeWorld();
  const taken = { reason: "PortTaken", detail: "sshd (pid 7) has it" } as const;
  const a = await startFakeAgent(stage, "a", {
    failing: () => false,
    portTaken: (endpoint) => (endpoint.endsWith(":22/tcp") ? taken : undefined),
  });
  const ssh = listenerOf("192.0.2.100:22/tcp", MEMBERS);
  a.loop.accept(acceptedPlan("a", [...web(), ...ssh]));
  await stage.clock.advance(50);
  assert.deepEqual(a.host.lines(), ["address 192.0.2.100", "listen 192.0.2.100:80"]);
  assert.equal(a.last().resources.get(ssh[0].name)?.problem?.detail, "sshd (pid 7) has it");
});

test("a port that is taken while nginx is down keeps the others from nothing", async () => {
  const stage = fakeWorld();
  let takenBy: string | undefined;
  const a = await startFakeAgent(stage, "a", {
    failing: () => false,
    portTaken: (endpoint) =>
      endpoint.endsWith(":2222/tcp") && takenBy !== undefined
        ? { reason: "PortTaken", detail: `${endpoint} is in use by ${takenBy}` }
        : undefined,
    nginxRefuses: (text) =>
      text.includes(":2222") && takenBy !== undefined
        ? { reason: "ConfigRefused", detail: "bind() failed" }
        : undefined,
  });
  const ssh = listenerOf("192.0.2.100:2222/tcp", MEMBERS);
  a.loop.accept(acceptedPlan("a", [...web(), ...ssh]));
  await stage.clock.advance(3000);
  assert.equal(a.host.lines().filter((line) => line.startsWith("listen")).length, 2);

  takenBy = "sshd";
  a.host.killNginx();
  await stage.clock.advance(12_000);
  assert.deepEqual(
    a.host.lines().filter((line) => line.startsWith("listen")),
    ["listen 192.0.2.100:80"],
  );
  const problems = [...a.last().resources.values()].flatMap(({ name, problem }) =>
    problem === undefined ? [] : [`${name} ${problem.reason}`],
  );
  assert.deepEqual(problems, ["listener/192.0.2.100/tcp/2222 PortTaken"]);

  takenBy = undefined;
  await stage.clock.advance(12_000);
  assert.equal(a.host.lines().filter((line) => line.startsWith("listen")).length, 2);
});

test("one listener that nginx refuses is found by halving; nine others serve", async () => {
  const stage = fakeWorld();
  const words = { reason: "ConfigRefused", detail: "nginx: host not found" } as const;
  const a = await startFakeAgent(stage, "a", {
    failing: () => false,
    nginxRefuses: (text) => (text.includes(":8007;") ? words : undefined),
  });
  const many = Array.from({ length: 10 }, (_, i) =>
    listenerOf(`192.0.2.100:${8000 + i}/tcp`, MEMBERS),
  ).flat();
  a.loop.accept(acceptedPlan("a", [NEW, vipOf("192.0.2.100", NEW), ...many]));
  await stage.clock.advance(50);
  assert.equal(a.host.lines().filter((line) => line.startsWith("listen")).length, 9);
  const refused = [...a.last().resources.values()].filter((entry) => entry.problem !== undefined);
  assert.deepEqual(
    refused.map((entry) => [entry.name, entry.problem?.detail]),
    [["listener/192.0.2.100/tcp/8007", "nginx: host not found"]],
  );
});

test("after a restart without a controller the last good plan is served, without a reload", async () => {
  const stage = fakeWorld();
  const a = await startFakeAgent(stage, "a");
  a.loop.accept(acceptedPlan("a", web()));
  await stage.clock.advance(50);
  await a.loop[Symbol.asyncDispose]();
  const again = await restartFakeAgent(stage.clock, a.host);
  await stage.clock.advance(50);
  assert.deepEqual(again.host.lines(), ["address 192.0.2.100", "listen 192.0.2.100:80"]);
  assert.equal(again.loop.view().reloads, 0);
});

test("a plan from disk takes nothing from a living holder: preempt is not believed", async () => {
  const stage = fakeWorld();
  const a = await startFakeAgent(stage, "a");
  const b = await startFakeAgent(stage, "b");
  a.loop.accept(acceptedPlan("a", web(NEW)));
  b.loop.accept(acceptedPlan("b", web(NEW)));
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
  a.loop.accept(acceptedPlan("a", web()));
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
  a.loop.accept(acceptedPlan("a", web()));
  await stage.clock.advance(50);
  a.loop.accept(acceptedPlan("a", []));
  await stage.clock.advance(3000);
  assert.deepEqual(a.host.lines(), ["address 192.0.2.100"]);
});

test("plan and ledger are lost under a living keepalived: its addresses are still ours", async () => {
  const { clock, segment } = fakeWorld();
  const host = createFakeHost({ name: "a", prefix: "192.0.2.11/24", segment, clock });
  const first = await restartFakeAgent(clock, host);
  first.loop.accept(acceptedPlan("a", web()));
  await clock.advance(50);
  await first.loop[Symbol.asyncDispose]();
  await host.ledger.save([]);
  const planFile = { ...host.planFile, load: async () => ({ plan: undefined }) };
  const a = await restartFakeAgent(clock, { ...host, name: "a", planFile });
  a.loop.accept(acceptedPlan("a", web(SETTLED)));
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

test("its listener goes with the plan, although nginx failed when the plan went", async () => {
  const stage = fakeWorld();
  let isBroken = false;
  const a = await startFakeAgent(stage, "a", {
    failing: (call) => isBroken && call === "nginx.apply",
  });
  a.host.addForeign("192.0.2.100");
  a.loop.accept(acceptedPlan("a", web()));
  await stage.clock.advance(50);
  isBroken = true;
  a.loop.accept(acceptedPlan("a", []));
  await stage.clock.advance(3000);
  isBroken = false;
  await stage.clock.advance(10_000);
  assert.deepEqual(a.host.lines(), ["address 192.0.2.100"]);
});

test("no address appears that the ledger could not name: a full disk stops it", async () => {
  const stage = fakeWorld();
  let isFull = true;
  const a = await startFakeAgent(stage, "a", {
    failing: (call) => isFull && call === "ledger.save",
  });
  a.loop.accept(acceptedPlan("a", web()));
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
  a.loop.accept(acceptedPlan("a", web(SETTLED)));
  b.loop.accept(acceptedPlan("b", web(SETTLED)));
  await stage.clock.advance(1500);
  isBroken = true;
  b.loop.accept(acceptedPlan("b", web(SETTLED, "192.0.2.101")));
  const vip = vipOf("192.0.2.100", SETTLED).name;
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
  a.loop.accept(acceptedPlan("a", web()));
  await clock.advance(5000);
  const passing = vipOf("192.0.2.101", NEW);
  const more = [passing, ...listenerOf("192.0.2.101:80/tcp", MEMBERS)];
  a.loop.accept(acceptedPlan("a", [...web(), ...more]));
  await clock.advance(10);
  a.loop.accept(acceptedPlan("a", web()));
  await clock.advance(1200);
  assert.ok(!host.lines().includes("address 192.0.2.101"), "it is still to come");
  assert.equal(a.last().planRevision, acceptedPlan("a", web()).revision);
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
  a.loop.accept(acceptedPlan("a", web()));
  await stage.clock.advance(50);
  assert.deepEqual(a.host.lines(), ["address 192.0.2.100", "listen 192.0.2.100:80"]);
  assert.equal(a.last().remarks[0]?.reason, "DiskUnwritable");
  isFull = false;
  await stage.clock.advance(6000);
  assert.deepEqual(a.last().remarks, []);
  assert.notEqual((await a.host.planFile.load()).plan, undefined);
});

test("a pass that the kernel broke off is made again, without a newer plan", async () => {
  const stage = fakeWorld();
  let isDeaf = false;
  const a = await startFakeAgent(stage, "a", {
    failing: (call) => isDeaf && call === "kernel.view",
  });
  isDeaf = true;
  a.loop.accept(acceptedPlan("a", web()));
  await stage.clock.advance(50);
  assert.deepEqual(a.host.lines(), []);
  isDeaf = false;
  await stage.clock.advance(6000);
  assert.deepEqual(a.host.lines(), ["address 192.0.2.100", "listen 192.0.2.100:80"]);
});

test("a daemon that nobody starts again is started by the agent, without a newer plan", async () => {
  const stage = fakeWorld();
  const a = await startFakeAgent(stage, "a");
  a.loop.accept(acceptedPlan("a", web()));
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

test("twenty plans within a second cost two passes that reload", async () => {
  const stage = fakeWorld();
  const a = await startFakeAgent(stage, "a");
  await stage.clock.advance(2000);
  const before = a.loop.view().reloads;
  for (let i = 0; i < 20; i++) {
    a.loop.accept(acceptedPlan("a", [...web(), ...listenerOf(`192.0.2.100:${9000 + i}/tcp`, [])]));
    await stage.clock.advance(40);
  }
  await stage.clock.advance(1000);
  assert.equal(a.loop.view().reloads - before, 2);
});
