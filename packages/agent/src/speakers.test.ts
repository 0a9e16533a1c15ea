// A pool that has hosts' own addresses, by mistake: no agent takes another host's address, and none
// says that it lost its own.

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  acceptedPlan,
  fakeWorld,
  laneOf,
  listenerOf,
  startFakeAgent,
  vipOf,
} from "@fairlead/testkit";

const LANE = laneOf({ routerId: 51, order: ["a=192.0.2.11", "b=192.0.2.12"] });
const VIP = vipOf("192.0.2.11", LANE);
const PLAN = [LANE, VIP, ...listenerOf("192.0.2.11:80/tcp", ["10.0.0.1:80"])];

test("a VIP that is the own address of an agent is held by nobody, and its host is named", async () => {
  const stage = fakeWorld();
  for (const name of ["a", "b"] as const) {
    const agent = await startFakeAgent(stage, name);
    agent.loop.accept(acceptedPlan(name, PLAN));
    await stage.clock.advance(5000);
    assert.deepEqual(
      agent.host.lines().filter((text) => text.startsWith("address ")),
      [],
    );
    const own = agent.last().links.flatMap(({ prefixes }) => prefixes.map((one) => one.address));
    assert.deepEqual(own, [name === "a" ? "192.0.2.11" : "192.0.2.12"], "it is in its network");
    const said = agent.last().resources.get(VIP.name);
    assert.equal(said?.step, "received");
    assert.equal(said?.problem?.reason, "AddressInUse");
    assert.equal(said?.problem?.detail, "192.0.2.11 is the own address of agent a");
  }
});
