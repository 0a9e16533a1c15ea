// The agent's loop on fake hosts of one segment, on the fake clock: what an operator would see of a
// plan that is served, moved and taken back while nothing fails but a link.

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  acceptedPlan,
  createFakeHost,
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

test("a plan is served: listener first, then the address, and both are proved", async () => {
  const stage = fakeWorld();
  const a = await startFakeAgent(stage, "a");
  a.loop.accept(acceptedPlan("a", webService()));
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
  assert.deepEqual(report.lanes, [{ name: NEW_LANE.name, state: "holder", order: NEW_LANE.order }]);
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
  a.loop.accept(acceptedPlan("a", webService()));
  await clock.advance(3000);
  const step = (): string | undefined =>
    [...a.last().resources.values()].find(({ name }) => name === "listener/192.0.2.100/tcp/80")
      ?.step;
  assert.equal(step(), "serving");
  const more = [vipOf("192.0.2.101", NEW_LANE), ...listenerOf("192.0.2.101:80/tcp", WEB_MEMBERS)];
  a.loop.accept(acceptedPlan("a", [...webService(), ...more]));
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
  a.loop.accept(acceptedPlan("a", webService()));
  b.loop.accept(acceptedPlan("b", webService()));
  await stage.clock.advance(50);
  assert.deepEqual(b.host.lines(), ["listen 192.0.2.100:80"]);
  assert.equal(b.last().resources.get(vipOf("192.0.2.100", NEW_LANE).name)?.step, "applied");
  assert.equal(b.last().lanes[0]?.state, "successor");
});

test("the holder's link is cut: the successor holds within 300 ms and says so", async () => {
  const stage = fakeWorld();
  const a = await startFakeAgent(stage, "a");
  const b = await startFakeAgent(stage, "b");
  a.loop.accept(acceptedPlan("a", webService(SETTLED_LANE)));
  b.loop.accept(acceptedPlan("b", webService(SETTLED_LANE)));
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
  a.loop.accept(acceptedPlan("a", webService()));
  await stage.clock.advance(50);
  a.loop.accept(acceptedPlan("a", []));
  await stage.clock.advance(1010);
  assert.deepEqual(a.host.lines(), ["listen 192.0.2.100:80"]);
  await stage.clock.advance(1010);
  assert.deepEqual(a.host.lines(), []);
  assert.deepEqual(await a.host.ledger.load(), []);
});
