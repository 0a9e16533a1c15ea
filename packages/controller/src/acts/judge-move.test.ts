// What operators are told of moves, and what they are refused for.

import assert from "node:assert/strict";
import { test } from "node:test";

import { type AgentName, type Intent, type World, present } from "@fairlead/model";
import { plan } from "@fairlead/planner";
import { address, agentName, heldWorld } from "@fairlead/testkit";

import {
  A,
  B,
  C,
  drain,
  drained,
  ENDS,
  FROZEN,
  LANE,
  lacking,
  move,
  testAllowed,
  testDenied,
  VIP,
} from "./act-cases.ts";
import { judgeAct } from "./judge-act.ts";

const WORLD = heldWorld(plan);
const given = (...intents: readonly Intent[]): World => ({ ...WORLD, intents });
const without = (...names: readonly string[]): World => lacking(WORLD, names);

/** An agent that has reported nothing of its lanes. */
function idle(agent: AgentName): World {
  const agents = new Map(WORLD.agents);
  const view = present(agents.get(agent), "it is known");
  agents.set(agent, { ...view, report: { ...present(view.report, "it reported"), lanes: [] } });
  return { ...WORLD, agents };
}

testAllowed([
  {
    name: "a move says what goes where and what ends",
    world: WORLD,
    act: move(),
    will: [`lane ${LANE} goes from lb-1 to lb-3 with ${VIP}`, ENDS],
    did: [`lane ${LANE} is on its way to lb-3`],
  },
  {
    name: "a move to the holder is done already",
    world: WORLD,
    act: move(A),
    will: [`lb-1 holds ${VIP} already`],
    did: [],
  },
]);

testDenied([
  {
    name: "a move of an address that is not leased",
    world: WORLD,
    act: { kind: "move", address: address("192.0.2.105"), to: C, isDryRun: false },
    kind: "not-found",
    why: "no lease is of 192.0.2.105: it is free, or lies in no pool",
  },
  {
    name: "a move to nobody",
    world: WORLD,
    act: move(agentName("lb-9")),
    kind: "not-found",
    why: "no agent is called lb-9",
  },
  {
    name: "a move to one that is drained",
    world: given(drained(C)),
    act: move(),
    kind: "refused",
    why: "lb-3 is drained",
  },
  {
    name: "a move to one that is out of reach",
    world: without("lb-3"),
    act: move(),
    kind: "refused",
    why: "lb-3 is out of reach",
  },
  {
    name: "a move to one that does not run the lane yet",
    world: idle(C),
    act: move(),
    kind: "refused",
    why: `lb-3 does not stand by for lane ${LANE} yet`,
  },
  {
    name: "a move while all is frozen",
    world: given(FROZEN),
    act: move(),
    kind: "refused",
    why: "all is frozen",
  },
]);

test("a move takes the place of an earlier one of its lane, and a drain ends moves to its agent", () => {
  const [lane] = WORLD.lanes.values();
  assert.ok(lane !== undefined);
  const world = given({ id: "m1", sinceMs: 1, kind: "move", lane: lane.id, to: B });
  for (const act of [move(), move(A), drain(B)]) {
    const judged = judgeAct(world, act);
    assert.ok(judged.kind === "allowed");
    assert.deepEqual(judged.ends, ["m1"]);
  }
});
