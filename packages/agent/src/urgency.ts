// Whether a plan may not wait for daemons to have had their rest. Pure.

import type { Applied } from "./applied.ts";
import type { AcceptedPlan } from "./ports.ts";

/** Whether it has this host leave a lane that another one holds beside it. */
export function isUrgent(
  wanted: AcceptedPlan | undefined,
  { lanes }: Pick<Applied, "lanes">,
): boolean {
  return [...lanes.keys()].some((name) => {
    const resource = wanted?.plan.resources.get(name);
    return resource?.kind === "lane" && resource.listens === true;
  });
}
