// What is wanted of each Service of a cluster, by one publication: its status, and which addresses
// are held for it. Pure. What did not change since the publication before stays the same object.

import type { Address, Claim, ClaimId, LeasedAddress, Verdict } from "@fairlead/model";

import type { Publication } from "../../ports.ts";
import { type WantedStatus, wantedStatus } from "./wanted-status.ts";

/** What is wanted of the Service of one name. */
export interface WantedService {
  /** Absent: nothing of this name asks for anything. */
  readonly claim?: WantedClaim;
  /** Leased to it, or still given up by agents that had them for it. In the order of leases. */
  readonly held: readonly Address[];
  /** Whether a lease names it as owner: what was published stays even while it is not seen. */
  readonly owns: boolean;
}

/** What is wanted of a Service that asks for something. */
export interface WantedClaim {
  readonly claim: Claim;
  readonly verdict: Verdict;
  readonly status: WantedStatus;
}

/** All that is wanted, by the id of the claim that a Service has or would have. */
export type WantedServices = ReadonlyMap<ClaimId, WantedService>;

/** Nothing wanted of the Service of a name. */
export const NOTHING_WANTED: WantedService = { held: [], owns: false };

/** What is wanted by this publication. */
export function wantedServices(
  { claims, verdicts, leases }: Pick<Publication, "claims" | "verdicts" | "leases">,
  before: WantedServices,
): WantedServices {
  const wanted = new Map<ClaimId, WantedService>();
  const holdings = holdingsOf(leases);
  for (const [id, verdict] of verdicts) {
    const claim = claims.get(id);
    if (claim?.kind !== "service" || claim.uid !== verdict.uid) continue;
    const known = before.get(id)?.claim;
    const isSame = known?.claim === claim && known.verdict === verdict;
    const status = isSame ? known.status : wantedStatus(claim, verdict);
    const held = holdings.get(id) ?? NOTHING_WANTED;
    wanted.set(id, { claim: isSame ? known : { claim, verdict, status }, ...held });
  }
  for (const [id, held] of holdings) if (!wanted.has(id)) wanted.set(id, held);
  for (const [id, one] of wanted) {
    const known = before.get(id);
    if (known !== undefined && isSameWish(known, one)) wanted.set(id, known);
  }
  return wanted;
}

/** Ids of which something else is wanted than before. */
export function* changedIds(before: WantedServices, now: WantedServices): Iterable<ClaimId> {
  for (const [id, one] of now) if (before.get(id) !== one) yield id;
  for (const id of before.keys()) if (!now.has(id)) yield id;
}

type Holding = Pick<WantedService, "held" | "owns">;

function holdingsOf(leases: ReadonlyMap<Address, LeasedAddress>): ReadonlyMap<ClaimId, Holding> {
  const holdings = new Map<ClaimId, Holding>();
  const add = (id: ClaimId, address: Address, owns: boolean): void => {
    if (!id.startsWith("service/")) return;
    const known = holdings.get(id);
    const held = known === undefined ? [address] : [...known.held, address];
    holdings.set(id, { held, owns: owns || known?.owns === true });
  };
  for (const { address, owners, state, lastClaim } of leases.values()) {
    for (const { claim } of owners) add(claim, address, true);
    if (owners.length === 0 && state.kind === "draining") add(lastClaim, address, false);
  }
  return holdings;
}

function isSameWish(a: WantedService, b: WantedService): boolean {
  return a.claim === b.claim && a.owns === b.owns && a.held.join() === b.held.join();
}
