// What is said of an address that its holder gave up a moment ago: in a lane a successor is waited
// for, on one host's own device there is none.

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  type AgentView,
  type Plan,
  present,
  type Remark,
  type World,
  vipName,
} from "@fairlead/model";
import {
  address,
  findVerdict,
  makeAgents,
  makeClaim,
  makePool,
  makeRevisionOf,
  makeWorld,
  nextWorld,
  proveAll,
} from "@fairlead/testkit";

import { plan } from "./index.ts";

const revisionOf = makeRevisionOf();
const planned = (world: World): Plan => plan(world, { revisionOf });
const VIP = address("192.0.2.100");

/** The agent as it reports right after its kernel lost the address. */
function losing(agent: AgentView, lostMs: number): AgentView {
  const report = present(agent.report, "it reported");
  const said = report.resources.get(vipName(VIP));
  if (said?.step !== "serving") return agent;
  const lost = { ...said, step: "applied", evidence: [] } as const;
  const resources = new Map(report.resources).set(vipName(VIP), lost);
  return { ...agent, report: { ...report, resources }, lostAtMs: new Map([[VIP, lostMs]]) };
}

function mainAfterLoss(mode: "vrrp" | "host" | "link"): Remark | undefined {
  const pools = [makePool("lan", VIP, { mode })];
  const agents = makeAgents(mode === "vrrp" ? 3 : 1);
  let world = makeWorld({ claims: [makeClaim("web")], pools, agents });
  for (let round = 0; round < 2; round += 1) {
    world = nextWorld(world, planned(world), { agents: proveAll(world, planned(world)) });
  }
  const after = [...world.agents.values()].map((agent) => losing(agent, world.nowMs));
  return findVerdict(planned(nextWorld(world, planned(world), { agents: after })), "web").main;
}

for (const mode of ["host", "link"] as const) {
  test(`mode ${mode}: somebody took the address off the device, and nobody else is to have it`, () => {
    const detail = "lb-1 does not have 192.0.2.100 on its device just now";
    assert.deepEqual(mainAfterLoss(mode), { reason: "WaitingForAgent", detail });
  });
}

test("mode vrrp: the holder gave the address up, and its successor is waited for", () => {
  const { reason, detail = "" } = mainAfterLoss("vrrp") ?? {};
  assert.equal(reason, "WaitingForAgent");
  assert.match(detail, /^lb-\d gave 192\.0\.2\.100 up, and its successor did not speak yet$/);
});
