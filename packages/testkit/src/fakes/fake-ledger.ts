// The ledger of a fake host: it outlives the agent and the host's boots, and knows after a boot
// that what it names was handed over before. Given what makes a write fail.

import type { Ledger, LedgerEntry } from "@fairlead/agent";

/** A ledger on a disk that outlives its host. */
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
      entries = saved.map(({ address, link, foreign, added }) => {
        const mark = added === true ? { added } : {};
        return { address, link, foreign, ...mark };
      });
    },
    reboot: () => {
      entries = entries.map((entry) => ({ ...entry, ofEarlierBoot: true }));
    },
  };
}
