// The ledger as the loop begins with it. One that does not read is made anew of the last plan: what
// that has in lanes is ours for sure.

import type { Remark } from "@fairlead/model";
import { describeError } from "@fairlead/runtime";

import type { AcceptedPlan, Ledger, LedgerEntry } from "./ports.ts";
import { ledgerOfPlan } from "./steps.ts";

/** The ledger, and what was wrong with the one on disk. */
export interface LoadedLedger {
  readonly entries: readonly LedgerEntry[];
  /** Absent: nothing. */
  readonly trouble?: Remark;
}

/** Loads it. Never rejects. */
export async function loadLedger(
  ledger: Ledger,
  plan: AcceptedPlan | undefined,
): Promise<LoadedLedger> {
  try {
    return { entries: await ledger.load() };
  } catch (error) {
    const detail = `${describeError(error)}; it is made anew of the last plan`;
    const entries = plan === undefined ? [] : ledgerOfPlan(plan);
    return { entries, trouble: { reason: "DiskUnwritable", detail } };
  }
}
