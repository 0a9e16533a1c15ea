// What the agent's loop is made of: its host, the disk, the stream to the controller, time and
// chance. It stands apart from the loop for that one's length alone.

import type { AgentName } from "@fairlead/model";
import type { Clock, Logger } from "@fairlead/runtime";

import type { Host } from "./host.ts";
import type { AcceptedPlan, ControllerLink, PlanFile } from "./ports.ts";

/** What the loop is made of. */
export interface ConvergeOptions {
  readonly agent: AgentName;
  readonly clock: Clock;
  readonly log: Logger;
  readonly host: Host;
  readonly planFile: PlanFile;
  readonly link: Pick<ControllerLink, "report">;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Told when all of a plan that the host takes is in force, in monotonic ms. Default: nobody. */
  readonly onApplied?: (plan: AcceptedPlan, nowMs: number) => void;
}
