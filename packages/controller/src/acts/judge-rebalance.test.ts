// What operators are told of a rebalance: who holds how much, and why nothing would make it more
// even.

import assert from "node:assert/strict";

import type { AgentView, World } from "@fairlead/model";
import { plan } from "@fairlead/planner";
import { address, heldWorld } from "@fairlead/testkit";

import type { Act } from "./act.ts";
import { A, FROZEN, LANE, lacking, testAllowed, testDenied, VIP } from "./act-cases.ts";

const WORLD = heldWorld(plan);

/** The same with six addresses, all of them in the one lane. */
const CROWDED: World = ((): World => {
  const row = WORLD.leases.get(VIP);
  assert.ok(row !== undefined);
  const rows = [100, 101, 102, 103, 104, 105].map((n) => address(`192.0.2.${n}`));
  return { ...WORLD, leases: new Map(rows.map((at) => [at, { ...row, address: at }])) };
})();

/** Nobody runs the lane but who holds it. */
function unready(world: World): World {
  const agents = Array.from(world.agents.values(), (agent): AgentView => {
    const { report } = agent;
    return agent.name === A || report === undefined
      ? agent
      : { ...agent, report: { ...report, lanes: [] } };
  });
  return { ...world, agents: new Map(agents.map((agent) => [agent.name, agent])) };
}

const REBALANCE: Act = { kind: "rebalance", isDryRun: false };

testAllowed([
  {
    name: "a rebalance of one lane moves nothing",
    world: WORLD,
    act: REBALANCE,
    will: ["agents hold alike; nothing moves"],
    did: [],
  },
  {
    name: "a rebalance says that one lane has all, and that a lane moves whole",
    world: CROWDED,
    act: REBALANCE,
    will: [
      `addresses held in 192.0.2.0/24: lb-1 6, lb-2 0, lb-3 0; lb-1's ride in lane ${LANE}, and a ` +
        "lane moves whole, so no move would make it more even",
      "nothing moves; new addresses go to agents that hold fewer",
    ],
    did: [],
  },
  {
    name: "a rebalance with nobody else in reach has nobody to compare with",
    world: lacking(CROWDED, ["lb-2", "lb-3"]),
    act: REBALANCE,
    will: ["agents hold alike; nothing moves"],
    did: [],
  },
  {
    name: "a rebalance says that nobody stands by",
    world: unready(CROWDED),
    act: REBALANCE,
    will: [
      `addresses held in 192.0.2.0/24: lb-1 6, lb-2 0, lb-3 0; lb-1's ride in lane ${LANE}, and ` +
        "nobody who holds fewer stands by for them",
      "nothing moves; new addresses go to agents that hold fewer",
    ],
    did: [],
  },
]);

testDenied([
  {
    name: "a rebalance while all is frozen",
    world: { ...WORLD, intents: [FROZEN] },
    act: REBALANCE,
    kind: "refused",
    why: "all is frozen",
  },
]);
