// Adoption: a claim that holds nothing by the store, and whose status has addresses that we wrote,
// holds them. So a store that was lost, or is an older copy, renumbers nobody. Given admitted and
// refused claims alike, the oldest first; takes no address from anybody who is there.

import {
  type Address,
  type Claim,
  type Placement,
  type Remark,
  claimTitle,
  holdersText,
  familyOf,
} from "@fairlead/model";

import { whyNotAllowed } from "./access.ts";
import { askedPool } from "./allocate-hosts.ts";
import type { Desk } from "./choose.ts";
import { neededFamilies } from "./families.ts";
import { type PoolView, withheld } from "./pools.ts";
import { portsOf, whyNotShared } from "./sharing.ts";

/** Makes the claims owners of what their status says, as far as nobody else is. */
export function adoptAddresses(desk: Desk, claims: readonly Claim[]): void {
  for (const claim of claims) {
    const { statusAddresses = [], sharingKey } = claim;
    if (statusAddresses.length === 0 || desk.table.heldBy(claim).length > 0) continue;
    const asked = askedPool(desk, claim);
    for (const address of wantedOf(desk, claim, statusAddresses)) {
      const view = desk.book.poolOf(address);
      if (view === undefined || !isAdoptable(desk, claim, address)) continue;
      // Whoever asks for hosts' own addresses leaves any other for them at once.
      if (asked?.pool.mode === "host" && asked !== view) continue;
      const placement = placementOf(desk, view, address);
      // In mode host an address is one agent's own: whose, only that agent can say.
      if (view.pool.mode === "host" && placement === undefined) continue;
      const isShareable = sharingKey !== undefined && view.pool.sharing === "ports";
      desk.table.enter({
        address,
        claim,
        ports: portsOf(claim),
        pool: view.pool.name,
        ...(isShareable ? { sharingKey } : {}),
        ...(placement === undefined ? {} : { placement }),
        // It stands in the status: it goes from there by proof alone.
        published: true,
      });
    }
  }
}

/** The agent that has an address without VRRP; undefined: none is known that has. */
function placementOf(
  { seats, unusable }: Desk,
  { pool }: PoolView,
  address: Address,
): Placement | undefined {
  const agent = pool.mode === "host" ? unusable.stillOn(address) : undefined;
  const seat = seats.get(pool.name)?.find((one) => one.agent === agent);
  return seat && { kind: "host", agent: seat.agent, link: seat.link };
}

/** One address for each family that it is to be served in; in mode host all that it has. */
function wantedOf({ book }: Desk, claim: Claim, addresses: readonly Address[]): readonly Address[] {
  const [first] = addresses;
  const view = first === undefined ? undefined : book.poolOf(first);
  if (view?.pool.mode === "host") return addresses;
  const wanted = neededFamilies(claim, addresses);
  if (wanted.kind === "bad") return [];
  return wanted.needs.flatMap(
    ({ family }) => addresses.find((address) => familyOf(address) === family) ?? [],
  );
}

/** What a claim waits for, and meanwhile keeps in its status. */
export interface Wait {
  readonly address: Address;
  readonly problem: Remark;
}

/**
 * The address of its status that the claim has to wait for: in the store it is, or was, somebody's
 * who is not seen. So the store is older than the status. Undefined: there is none.
 */
export function findWait(desk: Desk, claim: Claim): Wait | undefined {
  for (const address of claim.statusAddresses ?? []) {
    const row = desk.table.rows.get(address);
    if (row === undefined || row.lastClaim === claim.id) continue;
    const begin = `${address}, which stands in its status,`;
    if (row.state.kind === "draining") {
      const detail = `${begin} was ${claimTitle(row.lastClaim)}'s and waits for ${row.sentTo.join(", ")}`;
      return { address, problem: { reason: "Releasing", detail } };
    }
    if (row.owners.length === 0 || !row.owners.every(desk.isAbsent)) continue;
    const detail = `${begin} is held by ${holdersText(row)}, which no source shows yet`;
    return { address, problem: { reason: "Releasing", detail } };
  }
  return undefined;
}

function isAdoptable(desk: Desk, claim: Claim, address: Address): boolean {
  const view = desk.book.poolOf(address);
  if (view === undefined || whyNotAllowed(claim, view) !== undefined) return false;
  if (withheld(view, address) === "reserved") return false;
  if (desk.unusable.whyNever(address) !== undefined) return false;
  const row = desk.table.rows.get(address);
  if (row === undefined) return true;
  if (row.state.kind === "draining") return row.lastClaim === claim.id;
  return whyNotShared(claim, row, view) === undefined;
}
