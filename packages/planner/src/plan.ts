// Planning: given a frozen world, returns what shall be stored, sent and said. The same world gives
// the same plan, whatever the order of its maps, and whether it is made at once or in steps.

import type { Plan, World } from "@fairlead/model";

import { openMemory } from "./memory.ts";
import { type PlanOptions, planOnce } from "./plan-once.ts";
import { NO_ARRIVALS } from "./reassign.ts";
import { openRegistrations } from "./registrations.ts";
import { type Steps, runSteps } from "./steps.ts";

/** Plans. Never throws for anything that a user, an agent or a store may say. */
export function plan(given: World, options: PlanOptions): Plan {
  return runSteps(planInSteps(given, options));
}

/**
 * Plans in steps of some ms. The memory is nobody else's before the last of them; a plan is there
 * only then, and is the one that `plan` gives.
 */
export function* planInSteps(given: World, options: PlanOptions): Steps<Plan> {
  const memory = openMemory(options.memory);
  const registrations = openRegistrations(given, memory.last?.world.pools);
  const { world, asking } = registrations;
  const view = { ...options, asking };
  let { planned, goesOn } = yield* planOnce({ given: world, arrived: NO_ARRIVALS }, view, memory);
  // What a plan comes to may let more be done: a claim that has moved makes room for the next.
  for (let round = 1; goesOn !== undefined && round < ROUNDS_MAX; round++) {
    const { leases, lanes, intents } = planned;
    const next = { given: { ...world, leases, lanes, intents }, arrived: goesOn };
    ({ planned, goesOn } = yield* planOnce(next, view, memory));
  }
  return registrations.close(planned);
}

/** Rounds of one planning; what is left then goes on with the next fact. */
const ROUNDS_MAX = 8;
