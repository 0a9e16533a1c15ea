// Planning as a controller does it, plan after plan with one memory. For tests alone.

import type { Plan, World } from "@fairlead/model";

import { createPlanMemory } from "./memory.ts";
import { plan } from "./plan.ts";
import type { PlanOptions } from "./plan-once.ts";

/** Plans that share a memory of their own. */
export function rememberingPlanner(): (world: World, options: PlanOptions) => Plan {
  const memory = createPlanMemory();
  return (world, options) => plan(world, { ...options, memory });
}
