// How far the newest update has come, read off a report. Pure. Only a report of a finished pass for
// exactly that plan counts; what a daemon refused is named and does not hold the others back.

import type { AgentReport, Revision, Step } from "@fairlead/model";
import type { Nack } from "@fairlead/wire";

import type { AcceptedPlan } from "../ports.ts";

/** A step with what stays behind. */
export interface Progress {
  readonly step: Step;
  readonly nacks: readonly Nack[];
}

/**
 * The step that the plan has reached by this report; undefined when the report is about another
 * plan. `serving` needs proof of every listener, member set and lane, and of each VIP that it is at
 * least handed over: a successor's VIP is not in its kernel.
 */
export function progressOf(plan: AcceptedPlan, report: AgentReport): Progress | undefined {
  if (report.planRevision !== plan.revision) return undefined;
  const nacks: Nack[] = [];
  let isServing = true;
  for (const [name, wanted] of plan.revisions) {
    const resource = report.resources.get(name);
    const { problem } = resource ?? {};
    if (problem?.revision === wanted) nacks.push({ name, problem });
    else if (!isDone(resource?.step, resource?.revision, wanted, name)) isServing = false;
  }
  return { step: isServing ? "serving" : "applied", nacks };
}

/** Whether a step is beyond the one that was said. */
export function isFurther(step: Step, said: Step = "received"): boolean {
  return STEP_RANK[step] > STEP_RANK[said];
}

const STEP_RANK: Readonly<Record<Step, number>> = {
  received: 0,
  validated: 1,
  applied: 2,
  serving: 3,
};

function isDone(
  step: Step | undefined,
  revision: Revision | undefined,
  wanted: Revision,
  name: string,
): boolean {
  if (revision !== wanted) return false;
  return step === "serving" || (step === "applied" && name.startsWith("vip/"));
}
