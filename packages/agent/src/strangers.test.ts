// Addresses that somebody else on the segment has: nothing is held before the segment was asked,
// nothing waits for an answer for long, and what came when it was asked for is not asked for again.

import assert from "node:assert/strict";
import { test } from "node:test";

import type { Resource } from "@fairlead/model";
import {
  acceptedPlan,
  createFakeHost,
  deviceVipOf,
  type FakeAgent,
  fakeWorld,
  laneOf,
  listenerOf,
  restartFakeAgent,
  startFakeAgent,
  vipOf,
} from "@fairlead/testkit";

import { OLD_PLAN_MS } from "./converge-times.ts";

const LANE = laneOf({ routerId: 51, order: ["a=192.0.2.11", "b=192.0.2.12"] });
const VIP = vipOf("192.0.2.100", LANE);
const MAC = "02:00:00:00:99:99";

/** The resources of a plan with a web server at each of the addresses. */
type Web = (...vips: readonly string[]) => readonly Resource[];

const inLane: Web = (...vips) => [LANE, ...serving(vips, (vip) => vipOf(vip, LANE))];

/** Who holds an address: keepalived in mode vrrp, the agent itself in the modes host and link. */
const HOLDERS: readonly {
  readonly where: string;
  readonly web: Web;
  /** Whether an old plan rests after a boot, as others may have the address by a newer one. */
  readonly rests: boolean;
}[] = [
  { where: "in a lane", web: inLane, rests: true },
  { where: "on a device", web: (...vips) => serving(vips, deviceVipOf), rests: false },
];

function serving(
  vips: readonly string[],
  vipAt: (address: string) => Resource,
): readonly Resource[] {
  return vips.flatMap((vip) => [vipAt(vip), ...listenerOf(`${vip}:80/tcp`, ["10.0.0.1:80"])]);
}

/** What it says of the VIP: `received AddressInUse`. */
function said(agent: FakeAgent): string {
  const report = agent.last().resources.get(VIP.name);
  return [report?.step, report?.problem?.reason].join(" ").trim();
}

for (const { where, web, rests } of HOLDERS) {
  test(`${where}: what a stranger answers for is not held, and the rest is`, async () => {
    const stage = fakeWorld();
    stage.segment.setStranger("192.0.2.100", MAC);
    const a = await startFakeAgent(stage, "a");
    a.loop.accept(acceptedPlan("a", web("192.0.2.100", "192.0.2.101")));
    await stage.clock.advance(50);
    assert.ok(!a.host.lines().includes("address 192.0.2.100"));
    assert.ok(a.host.lines().includes("address 192.0.2.101"));
    const report = a.last().resources.get(VIP.name);
    assert.equal(report?.problem?.detail, `${MAC} answers for 192.0.2.100 on eth0`);
    assert.deepEqual(report.evidence, [{ kind: "neighbour", mac: MAC, seenBy: "a" }]);
    const ledger = await a.host.ledger.load();
    assert.deepEqual(
      ledger.map(({ address }) => address),
      ["192.0.2.101"],
      "what was never handed over is not in the ledger",
    );
  });

  test(`${where}: it is held soon after the stranger has gone, without a newer plan`, async () => {
    const stage = fakeWorld();
    stage.segment.setStranger("192.0.2.100", MAC);
    const a = await startFakeAgent(stage, "a");
    a.loop.accept(acceptedPlan("a", web("192.0.2.100")));
    await stage.clock.advance(12_000);
    assert.equal(said(a), "received AddressInUse");
    stage.segment.setStranger("192.0.2.100", undefined);
    await stage.clock.advance(6000);
    assert.equal(said(a), "serving");
  });

  test(`${where}: what is in use leaves nothing behind when the plan drops it`, async () => {
    const stage = fakeWorld();
    stage.segment.setStranger("192.0.2.100", MAC);
    const a = await startFakeAgent(stage, "a");
    a.loop.accept(acceptedPlan("a", web("192.0.2.100")));
    await stage.clock.advance(1500);
    a.loop.accept(acceptedPlan("a", []));
    await stage.clock.advance(1500);
    assert.deepEqual(a.host.lines(), []);
    assert.equal(a.last().resources.has(VIP.name), false);
  });

  test(`${where}: after a boot the old plan is asked for, without any controller`, async () => {
    const stage = fakeWorld();
    const a = await startFakeAgent(stage, "a");
    a.loop.accept(acceptedPlan("a", web("192.0.2.100", "192.0.2.101")));
    await stage.clock.advance(1500);
    await a.loop[Symbol.asyncDispose]();
    a.host.powerOff();
    stage.segment.setStranger("192.0.2.100", MAC);
    a.host.setLink(true);
    const again = await restartFakeAgent(stage.clock, a.host);
    await stage.clock.advance(OLD_PLAN_MS - 1);
    assert.equal(again.host.lines().includes("address 192.0.2.101"), !rests);
    await stage.clock.advance(1500);
    assert.equal(said(again), "received AddressInUse");
    assert.ok(again.host.lines().includes("address 192.0.2.101"));
    stage.segment.setStranger("192.0.2.100", undefined);
    await stage.clock.advance(6000);
    assert.equal(said(again), "serving");
  });

  test(`${where}: an agent that cannot ask serves, says so, and asks when it can`, async () => {
    const stage = fakeWorld();
    let canAsk = false;
    const failing = (call: string): boolean => call === "segment.ask" && !canAsk;
    const a = await startFakeAgent(stage, "a", { failing });
    const reasons = (): readonly string[] => a.last().remarks.map(({ reason }) => reason);
    a.loop.accept(acceptedPlan("a", web("192.0.2.100")));
    await stage.clock.advance(50);
    assert.equal(said(a), "serving");
    assert.deepEqual(reasons(), ["AddressUnasked"]);
    await stage.clock.advance(6000);
    assert.deepEqual(reasons(), ["AddressUnasked"]);
    canAsk = true;
    await stage.clock.advance(6000);
    assert.deepEqual(reasons(), []);
    assert.equal(said(a), "serving");
  });

  test(`${where}: who fails to ask once asks again before it holds, and hears of the stranger`, async () => {
    const stage = fakeWorld();
    let asked = 0;
    const failing = (call: string): boolean => call === "segment.ask" && ++asked < 3;
    const a = await startFakeAgent(stage, "a", { failing });
    stage.segment.setStranger("192.0.2.100", MAC);
    a.loop.accept(acceptedPlan("a", web("192.0.2.100")));
    await stage.clock.advance(50);
    assert.equal(said(a), "received AddressInUse");
    assert.deepEqual(a.last().remarks, []);
  });

  test(`${where}: what came unasked and is a stranger's is given up when that is heard`, async () => {
    const stage = fakeWorld();
    let canAsk = false;
    const failing = (call: string): boolean => call === "segment.ask" && !canAsk;
    const a = await startFakeAgent(stage, "a", { failing });
    stage.segment.setStranger("192.0.2.100", MAC);
    a.loop.accept(acceptedPlan("a", web("192.0.2.100")));
    await stage.clock.advance(50);
    assert.equal(said(a), "serving");
    canAsk = true;
    await stage.clock.advance(6000);
    assert.equal(said(a), "received AddressInUse");
    assert.ok(!a.host.lines().includes("address 192.0.2.100"));
  });

  test(`${where}: what did not come when it was found silent is asked for again`, async () => {
    const stage = fakeWorld();
    let isBroken = true;
    const puts = ["keepalived.apply", "kernel.putAddress"];
    const failing = (call: string): boolean => isBroken && puts.includes(call);
    const a = await startFakeAgent(stage, "a", { failing });
    a.loop.accept(acceptedPlan("a", web("192.0.2.100")));
    await stage.clock.advance(6000);
    assert.ok(!a.host.lines().includes("address 192.0.2.100"));
    stage.segment.setStranger("192.0.2.100", MAC);
    isBroken = false;
    await stage.clock.advance(6000);
    assert.equal(said(a), "received AddressInUse");
    assert.ok(!a.host.lines().includes("address 192.0.2.100"));
    stage.segment.setStranger("192.0.2.100", undefined);
    await stage.clock.advance(6000);
    assert.equal(said(a), "serving");
  });

  test(`${where}: an address that came unasked and left is no trouble any more`, async () => {
    const stage = fakeWorld();
    const a = await startFakeAgent(stage, "a", { failing: (call) => call === "segment.ask" });
    a.loop.accept(acceptedPlan("a", web("192.0.2.100")));
    await stage.clock.advance(50);
    a.loop.accept(acceptedPlan("a", []));
    await stage.clock.advance(3000);
    assert.deepEqual(a.last().remarks, []);
  });
}

test("what was found silent once is not asked for again: not by a pass, not by a restart", async () => {
  const stage = fakeWorld();
  const a = await startFakeAgent(stage, "a");
  const b = await startFakeAgent(stage, "b");
  a.loop.accept(acceptedPlan("a", inLane("192.0.2.100")));
  b.loop.accept(acceptedPlan("b", inLane("192.0.2.100")));
  await stage.clock.advance(1500);
  stage.segment.setStranger("192.0.2.100", MAC);
  b.loop.accept(acceptedPlan("b", inLane("192.0.2.100", "192.0.2.101")));
  await stage.clock.advance(1500);
  assert.equal(said(b), "applied");
  await b.loop[Symbol.asyncDispose]();
  const again = await restartFakeAgent(stage.clock, b.host);
  await stage.clock.advance(1500);
  assert.equal(said(again), "applied", "the successor goes on being one");
});

test("asking costs no time of its own: it runs while nginx reloads", async () => {
  const { clock, segment } = fakeWorld();
  const host = createFakeHost({ name: "a", prefix: "192.0.2.11/24", segment, clock });
  const slow = async <T>(tookMs: number, run: () => Promise<T>): Promise<T> => {
    await clock.sleep(tookMs);
    return await run();
  };
  const ask: typeof host.segment.ask = (questions) => slow(100, () => host.segment.ask(questions));
  const nginx: typeof host.nginx = {
    ...host.nginx,
    apply: (text, generation) => slow(105, () => host.nginx.apply(text, generation)),
  };
  const a = await restartFakeAgent(clock, { ...host, segment: { ask } }, nginx);
  a.loop.accept(acceptedPlan("a", inLane("192.0.2.100")));
  await clock.advance(110);
  assert.equal(said(a), "serving");
});
