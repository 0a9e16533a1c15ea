// A world in which one address is held, and proved to be, for tests of what is asked of it. Given
// how to plan.

import type { AgentName, World } from "@fairlead/model";

import { makeAgents, makeClaim, makePool, makeWorld, nextWorld } from "./builders.ts";
import { agentName } from "./node-plan-builders.ts";
import { makeRevisionOf, type Planning, proveAll } from "./plan-answers.ts";

const ORDER: readonly AgentName[] = ["lb-1", "lb-2", "lb-3"].map(agentName);

/** One address that lb-1 holds, 192.0.2.100, with lb-2 and lb-3 behind it. */
export function heldWorld(plan: Planning): World {
  const revisionOf = makeRevisionOf();
  const pools = [makePool("lan", "192.0.2.100-192.0.2.109"), makePool("own", "198.51.100.7")];
  let world = makeWorld({ claims: [makeClaim("web")], pools, agents: makeAgents(3) });
  const first = plan(world, { revisionOf });
  const lanes = new Map(Array.from(first.lanes, ([id, lane]) => [id, { ...lane, order: ORDER }]));
  world = nextWorld(world, { ...first, lanes });
  world = nextWorld(world, plan(world, { revisionOf }));
  world = nextWorld(world, plan(world, { revisionOf }), {
    agents: proveAll(world, plan(world, { revisionOf })),
  });
  return nextWorld(world, plan(world, { revisionOf }));
}
