// Planning for the loop: in steps, between which everybody else has the event loop, so that ten
// thousand Services at once hold up neither agents nor the lead. Given the world of one moment, and
// what had been sent to agents by then; what comes meanwhile is for the next plan.

import { setImmediate } from "node:timers/promises";

import type { Plan, World } from "@fairlead/model";
import { type PlanMemory, createPlanMemory, planInSteps } from "@fairlead/planner";

import type { CycleOptions } from "./cycle-options.ts";

/** Makes one plan. The next one is not begun before this one is there. */
export type PlanInTurns = (world: World) => Promise<Plan>;

/** Makes what plans. Its memory is new: it is of one term and its stored rows. */
export function createPlanInTurns({
  delivery,
  revisionOf,
}: Pick<CycleOptions, "delivery" | "revisionOf">): PlanInTurns {
  const memory: PlanMemory = createPlanMemory();
  return async (world) => {
    const mayStillGet = delivery.sentByNow?.() ?? NOTHING_SENT;
    const steps = planInSteps(world, { revisionOf, mayStillGet, memory });
    for (;;) {
      const step = steps.next();
      if (step.done === true) return step.value;
      await setImmediate();
    }
  };
}

const NOTHING_SENT = (): boolean => false;
