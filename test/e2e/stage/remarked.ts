// What the controller says of an agent that lacks something, while what it serves goes on.

import { claimOf, type Stage } from "./stage.ts";

/** What is waited for. */
export interface Remarked {
  readonly agent: string;
  readonly reason: string;
  /** Default: any. */
  readonly detail?: RegExp;
}

/** Resolves when the reason is said of the agent and default/web is served all the same. */
export async function remarkedOf(
  stage: Pick<Stage, "until">,
  { agent, reason, detail = /(?:)/ }: Remarked,
): Promise<void> {
  await stage.until(`${reason} is said of ${agent}`, (list) => {
    const remarks = list.agents.find(({ name }) => name === agent)?.remarks ?? [];
    const isServed = claimOf(list, "default/web")?.state === "ready";
    const isSaid = remarks.some((one) => one.reason === reason && detail.test(one.detail));
    return isServed && isSaid ? true : undefined;
  });
}
