// Who holds an address and since when, in words: a refusal that names a holder says both, so that
// whoever is refused can tell an old neighbour from one that came a minute ago.

import { instantText } from "./instant.ts";
import type { LeaseOwner, LeasedAddress } from "./lease.ts";
import { claimTitle } from "./name.ts";

/** `default/web since 2026-11-28T03:29:14Z`. The owner is one of the row. */
export function holderText(row: LeasedAddress, owner: LeaseOwner): string {
  return `${claimTitle(owner.claim)} since ${instantText(owner.sinceMs ?? row.sinceMs)}`;
}

/** Several of them, in the given order. Default: all owners of the row. */
export function holdersText(
  row: LeasedAddress,
  owners: readonly LeaseOwner[] = row.owners,
): string {
  return owners.map((owner) => holderText(row, owner)).join(", ");
}
