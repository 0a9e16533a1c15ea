// The last good plan as a fake host keeps it: over restarts of its agent and over reboots. Given
// what may fail.

import type { AcceptedPlan, PlanFile } from "@fairlead/agent";

/**
 * Makes an empty one.
 * @param attempt called first by every change; throws when it fails.
 */
export function createFakePlanFile(attempt: (call: string) => void): PlanFile {
  let kept: AcceptedPlan | undefined;
  return {
    load: async () => ({ plan: kept }),
    save: async (plan) => {
      attempt("planFile.save");
      kept = plan;
    },
  };
}
