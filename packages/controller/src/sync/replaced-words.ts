// What an agent is told whose stream ends because a newer one came in its name. Pure.

import type { AgentName } from "@fairlead/model";

/** Given the hosts of both: one that comes back is no trouble, two with one name are. */
export function replacedWords(agent: AgentName, older: string, newer: string): string {
  if (older === newer) return "a newer stream of this agent was opened";
  return (
    `${newer} opened a newer stream in the name of ${agent}, which ${older} has: ` +
    "where both are agents, give each a --name of its own"
  );
}
