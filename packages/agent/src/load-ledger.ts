// The ledger as the loop begins with it. One that does not read is made anew of the last plan: what
// that has in lanes is ours for sure. So is what a living keepalived carries: a lost ledger must
// not make strangers of our own addresses, which would be taken out of keepalived's file.

import type { Remark } from "@fairlead/model";
import { describeError } from "@fairlead/runtime";

import type { Host } from "./host.ts";
import type { AcceptedPlan, Ledger, LedgerEntry } from "./ports.ts";
import { ledgerOfPlan } from "./steps.ts";

/** The ledger, and what was wrong with the one on disk. */
export interface LoadedLedger {
  readonly entries: readonly LedgerEntry[];
  /** Absent: nothing. */
  readonly trouble?: Remark;
}

/** Loads it, and writes it where there was none. Never rejects. */
export async function loadLedger(
  { ledger, keepalived }: Pick<Host, "ledger" | "keepalived">,
  plan: AcceptedPlan | undefined,
): Promise<LoadedLedger> {
  const [loaded, carried] = await Promise.all([
    readOrMake(ledger, plan),
    // Where nobody can say, the ledger has to do.
    keepalived.carries().catch(() => []),
  ]);
  const known = new Set(loaded.entries.map(({ address }) => address));
  const missing = carried.filter(({ address }) => !known.has(address));
  const entries = [...loaded.entries, ...missing.map((vip) => ({ ...vip, foreign: false }))];
  if (loaded.trouble === undefined) await writeDown(ledger, entries);
  return { ...loaded, entries };
}

/**
 * From its start on an agent has a ledger, also one that never gets a plan: without the file a
 * `stop` with the very same folders took them for another agent's.
 */
async function writeDown(ledger: Ledger, entries: readonly LedgerEntry[]): Promise<void> {
  try {
    await ledger.save(entries);
  } catch {
    // The first step that needs it tells of the disk.
  }
}

async function readOrMake(ledger: Ledger, plan: AcceptedPlan | undefined): Promise<LoadedLedger> {
  try {
    return { entries: await ledger.load() };
  } catch (error) {
    const detail = `${describeError(error)}; it is made anew of the last plan`;
    const entries = plan === undefined ? [] : ledgerOfPlan(plan);
    return { entries, trouble: { reason: "DiskUnwritable", detail } };
  }
}
