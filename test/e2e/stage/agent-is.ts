// Waits for the controller's word about an agent. Given the stage.

import type { AgentJson } from "./asker.ts";
import type { Stage } from "./stage.ts";

/** Waits until the controller calls the agent that. @param ms the longest wait; the stage's own. */
export async function agentIs(
  stage: Stage,
  name: string,
  state: AgentJson["state"],
  ms?: number,
): Promise<void> {
  await stage.until(
    `${name} is ${state}`,
    ({ agents }) => (agents.find((row) => row.name === name)?.state === state ? true : undefined),
    ms,
  );
}
