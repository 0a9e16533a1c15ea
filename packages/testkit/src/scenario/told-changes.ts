// What agents were told to change since the controller that runs was started, counted by agent from
// the messages themselves. Given each message on its way. An agent that was told nothing is not
// named.

import { compareText } from "@fairlead/model";
import type { SyncResponse } from "@fairlead/wire";

/** The counts. */
export interface ToldChanges {
  note(agent: string, message: SyncResponse): void;
  /** Another controller begins. */
  clear(): void;
  /** `lb1 4 set, 0 gone`, by name. */
  lines(): readonly string[];
}

interface Counts {
  readonly set: number;
  readonly gone: number;
}

/** Makes counts of nothing. */
export function createToldChanges(): ToldChanges {
  const byAgent = new Map<string, Counts>();
  return {
    note: (agent, { message }) => {
      if (message.case !== "update") return;
      const { upserts, tombstones } = message.value;
      const { set, gone } = byAgent.get(agent) ?? { set: 0, gone: 0 };
      byAgent.set(agent, { set: set + upserts.length, gone: gone + tombstones.length });
    },
    clear: () => byAgent.clear(),
    lines: () =>
      [...byAgent]
        .filter(([, { set, gone }]) => set + gone > 0)
        .toSorted(([a], [b]) => compareText(a, b))
        .map(([agent, { set, gone }]) => `${agent} ${set} set, ${gone} gone`),
  };
}
