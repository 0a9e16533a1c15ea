// What is said of a host that cannot be looked at, such as one whose agent has no descriptor left:
// the stream to the controller is open, and needs none. Pure. It claims nothing that was not proved
// before, and nothing at all of a plan that came since.

import type { AgentReport } from "@fairlead/model";
import { describeError } from "@fairlead/runtime";

import type { Look } from "./converge-view.ts";
import type { AcceptedPlan } from "./ports.ts";

/** What was seen last, and why nothing was seen now. */
export interface BlindInput {
  readonly look: Look | undefined;
  /** The plan that is wanted now. */
  readonly wanted: AcceptedPlan | undefined;
  readonly sequence: number;
  readonly error: unknown;
}

/** The report of the last look with the trouble; undefined where it would say too much. */
export function blindReport({
  look,
  wanted,
  sequence,
  error,
}: BlindInput): AgentReport | undefined {
  if (look === undefined || look.wanted !== wanted) return undefined;
  const detail = `cannot look at its host, and reports what it saw last: ${describeError(error)}`;
  const remarks = [{ reason: "DataPlaneDown" as const, detail }, ...look.report.remarks];
  return { ...look.report, sequence, remarks };
}
