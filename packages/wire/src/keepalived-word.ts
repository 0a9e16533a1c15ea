// What tables say of an agent's keepalived. Pure.

import type { AgentRow } from "@fairlead/proto";

/** `up` or `down`; empty where it has no lane to run: then it is not down. */
export function keepalivedWord(
  row: Pick<AgentRow, "keepalivedAlive" | "keepalivedNeeded">,
): "up" | "down" | "" {
  if (row.keepalivedAlive) return "up";
  return row.keepalivedNeeded ? "down" : "";
}
