// How many VIPs this host has, by what it reports of its resources. Pure.

import type { AgentReport } from "@fairlead/model";

/** VIPs of the plan that the kernel of this host has. */
export function heldVips(resources: AgentReport["resources"]): number {
  let count = 0;
  for (const { name, step } of resources.values()) {
    if (name.startsWith("vip/") && step === "serving") count += 1;
  }
  return count;
}
