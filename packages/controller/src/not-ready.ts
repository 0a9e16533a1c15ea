// What the loop waits for before it does its work, in words. Pure. One that stands by is ready: it
// waits for nothing but the leader's end.

import type { ElectionView } from "./ports.ts";
import type { StoreWriter } from "./store-writer.ts";

/** What is waited for, lower case; undefined when all is well. */
export function notReadyText(at: {
  readonly lead: ElectionView;
  /** Absent before the store is open under this controller's epoch. */
  readonly writer: StoreWriter | undefined;
  /** Whether every source was listed whole. */
  readonly areListed: boolean;
  readonly hasPlan: boolean;
}): string | undefined {
  const { lead, writer, areListed, hasPlan } = at;
  const isOpening = lead.leads || (lead.holder === undefined && !areListed);
  const unknown = lead.trouble && `it is not known who leads: ${lead.trouble}`;
  if (writer === undefined && isOpening) return unknown ?? "the store is not open";
  if (!areListed) return "sources are being listed";
  if (writer === undefined || !lead.leads) {
    return unknown ?? (lead.holder === undefined ? "nobody leads" : undefined);
  }
  const { isFenced, trouble } = writer;
  if (isFenced) return "another controller took over";
  if (trouble !== undefined) return `the store is not written: ${trouble}`;
  return hasPlan ? undefined : "waiting for agents before the first plan";
}
