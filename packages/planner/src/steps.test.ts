// A planning in steps stops now and then, and comes to what it comes to at once.

import assert from "node:assert/strict";
import { test } from "node:test";

import type { Plan, World } from "@fairlead/model";
import {
  makeAgent,
  makeClaim,
  makePool,
  makeRevisionOf,
  makeWorld,
  nextWorld,
  proveAll,
} from "@fairlead/testkit";

import { createPlanMemory } from "./memory.ts";
import { plan, planInSteps } from "./plan.ts";
import type { PlanOptions } from "./plan-once.ts";

const revisionOf = makeRevisionOf();
/** At least: allocating, programming and judging by the hundreds. */
const STEPS_OF_MANY = 8;

test("hundreds of claims are planned in several steps, from scratch and with leases", () => {
  const empty = worldOf(600);
  const first = countSteps(empty, { revisionOf });
  assert.deepEqual(first.planned, plan(empty, { revisionOf }));
  assert.ok(first.steps >= STEPS_OF_MANY, `${first.steps} steps`);
  const agents = proveAll(empty, first.planned);
  const stored = nextWorld(empty, first.planned, { agents });
  const second = countSteps(stored, { revisionOf });
  assert.deepEqual(second.planned, plan(stored, { revisionOf }));
  assert.ok(second.steps >= STEPS_OF_MANY, `${second.steps} steps`);
});

test("what is little is planned in one go: a hundred claims, or one changed of hundreds", () => {
  assert.equal(countSteps(worldOf(100), { revisionOf }).steps, 0);
  const memory = createPlanMemory();
  const world = worldOf(600);
  const first = plan(world, { revisionOf, memory });
  const settled = nextWorld(world, first);
  const claims = [...settled.claims.values()].map((claim) =>
    claim.name === "svc-7" ? makeClaim("svc-7", { members: ["10.1.0.9:80"] }) : claim,
  );
  plan(settled, { revisionOf, memory });
  assert.equal(countSteps({ ...settled, ...claimsOf(claims) }, { revisionOf, memory }).steps, 0);
});

function countSteps(world: World, options: PlanOptions): { planned: Plan; steps: number } {
  const running = planInSteps(world, options);
  for (let steps = 0; ; steps += 1) {
    const step = running.next();
    if (step.done === true) return { planned: step.value, steps };
  }
}

function claimsOf(claims: readonly ReturnType<typeof makeClaim>[]): Pick<World, "claims"> {
  return { claims: new Map(claims.map((claim) => [claim.id, claim])) };
}

function worldOf(count: number): World {
  return makeWorld({
    claims: Array.from({ length: count }, (_, at) => makeClaim(`svc-${at}`)),
    agents: ["lb-1", "lb-2", "lb-3"].map((name, at) =>
      makeAgent(name, { prefixes: [`10.0.0.${at + 11}/8`] }),
    ),
    pools: [makePool("default", "10.64.0.0/16")],
  });
}
