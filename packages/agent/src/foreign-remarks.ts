// What an agent says of addresses that somebody else put on its host and that its plan has. Pure.
// Such an address is used as it is, so that nothing but this remark would tell of it.

import type { Remark, ResourceName } from "@fairlead/model";

import { firstFew } from "./first-few.ts";
import type { AcceptedPlan, LedgerEntry } from "./ports.ts";

/** What VIPs of lanes somebody else put here: keepalived moves them, and they stay for all that. */
export function foreignRemarks(
  wanted: AcceptedPlan | undefined,
  ledger: readonly LedgerEntry[],
): readonly Remark[] {
  const texts = ledger.flatMap(({ address, link, foreign }) => {
    const resource = wanted?.plan.resources.get(`vip/${address}` as ResourceName);
    const isLanes = resource?.kind === "vip" && resource.carrier.kind === "lane";
    return foreign && isLanes ? [`${address} on ${link}`] : [];
  });
  if (texts.length === 0) return [];
  const detail = `${firstFew(texts)}: not put there by us, so never removed, whoever shall hold it`;
  return [{ reason: "AddressForeign", detail }];
}
