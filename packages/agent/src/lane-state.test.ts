// What an agent says of its lanes while keepalived does not take its plan: a newcomer that believed
// the plan would hear nobody, and hold the lane a second time.

import assert from "node:assert/strict";
import { test } from "node:test";

import type { Resource } from "@fairlead/model";
import {
  acceptedPlan,
  type FakeAgent,
  fakeWorld,
  laneOf,
  listenerOf,
  startFakeAgent,
  vipOf,
} from "@fairlead/testkit";

const TWO = ["a=192.0.2.11", "b=192.0.2.12"];
const THREE = [...TWO, "c=192.0.2.13"];

function web(order: readonly string[]): readonly Resource[] {
  const lane = laneOf({ routerId: 51, order });
  return [lane, vipOf("192.0.2.100", lane), ...listenerOf("192.0.2.100:80/tcp", ["10.0.0.1:80"])];
}

/** The lane's state, and whom the agent says that it speaks to. */
function said(agent: FakeAgent): string {
  const [lane] = agent.last().lanes;
  return [lane?.state, ...(lane?.order ?? []).map((peer) => peer.agent)].join(" ");
}

test("a holder whose keepalived takes no newer file says that it speaks to those of the file", async () => {
  const stage = fakeWorld();
  let isBroken = false;
  const failing = (call: string): boolean => call === "keepalived.apply" && isBroken;
  const a = await startFakeAgent(stage, "a", { failing });
  a.loop.accept(acceptedPlan("a", web(TWO)));
  await stage.clock.advance(2000);
  assert.equal(said(a), "holder a b");

  isBroken = true;
  a.loop.accept(acceptedPlan("a", web(THREE)));
  await stage.clock.advance(2000);
  assert.equal(said(a), "holder a b", "c would hear nothing of it");

  isBroken = false;
  await stage.clock.advance(6000);
  assert.equal(said(a), "holder a b c");
});
