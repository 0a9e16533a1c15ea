// The ledger of a fake host: it outlives the agent, and says nothing any more after a boot of the
// host. Given what makes a write fail.

import type { Ledger, LedgerEntry } from "@fairlead/agent";

/** A ledger on a disk. */
export interface FakeLedger extends Ledger {
  /** The host boots. */
  reboot(): void;
}

/** Makes an empty ledger; `attempt` throws where a write shall fail. */
export function createFakeLedger(attempt: (call: string) => void): FakeLedger {
  let entries: readonly LedgerEntry[] = [];
  return {
    load: async () => entries,
    save: async (saved) => {
      attempt("ledger.save");
      entries = saved;
    },
    reboot: () => {
      entries = [];
    },
  };
}
