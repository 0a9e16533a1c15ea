// The members that a listener may really have. Given a claim's members and all leased addresses;
// leaves out what would send traffic back to a host itself or round in a ring.

import {
  type Address,
  type Claim,
  type ClaimId,
  type ClaimListener,
  claimTitle,
  type LeasedAddress,
  type Member,
  portText,
  type Protocol,
  type Remark,
  scopeOf,
} from "@fairlead/model";

import { isOwnAddress } from "./own-address.ts";

/** Members that are used, and what is said of the others. */
export interface UsableMembers {
  readonly members: readonly Member[];
  readonly remarks: readonly Remark[];
}

/**
 * Leaves out members that are not unicast, and those that are VIPs of ours in any state: an agent
 * would send the connection to itself, or to another agent, and so round for ever.
 */
export function usableMembers(
  listener: ClaimListener,
  rows: ReadonlyMap<Address, LeasedAddress>,
): UsableMembers {
  let bad: string[] | undefined;
  const { protocol } = listener;
  for (const member of listener.members) {
    const why = whyBad(member, protocol, rows);
    if (why !== undefined) (bad ??= []).push(`${member.address} (${why})`);
  }
  if (bad === undefined) return { members: listener.members, remarks: NO_REMARKS };
  const members = listener.members.filter((member) => whyBad(member, protocol, rows) === undefined);
  const named = [...new Set(bad)];
  const more = named.length > NAMED_MAX ? ` and ${named.length - NAMED_MAX} more` : "";
  const detail = `${portText(listener)}: ${named.slice(0, NAMED_MAX).join(", ")}${more} left out`;
  return { members, remarks: [{ reason: "BadMember", detail }] };
}

/** Whose VIP an address is, as it is said of a member; undefined for one that is in no row. */
export function vipText(row: LeasedAddress | undefined): string | undefined {
  if (row === undefined) return undefined;
  const [first, ...others] = row.owners;
  if (first === undefined) return `a VIP that ${claimTitle(row.lastClaim)} had`;
  const more = others.length === 0 ? "" : ` and ${others.length} more`;
  return `a VIP of ${claimTitle(first.claim)}${more}`;
}

/** Claims with a member on one of these addresses. */
export function claimsWithMembers(
  claims: Iterable<Claim>,
  addresses: ReadonlySet<Address>,
): readonly ClaimId[] {
  const found: ClaimId[] = [];
  if (addresses.size === 0) return found;
  for (const { id, listeners } of claims) {
    const isOne = listeners.some(({ members }) =>
      members.some((one) => addresses.has(one.address)),
    );
    if (isOne) found.push(id);
  }
  return found;
}

/** Members named in one detail at most. */
const NAMED_MAX = 3;

const NO_REMARKS: readonly Remark[] = [];

function whyBad(
  { address, port }: Member,
  protocol: Protocol,
  rows: ReadonlyMap<Address, LeasedAddress>,
): string | undefined {
  const scope = scopeOf(address);
  if (scope !== "unicast") return scope;
  const row = rows.get(address);
  // A host's own address has other ports too, and only ours lead back to us.
  const isOurs =
    !isOwnAddress(row) ||
    row?.owners.some(({ ports }) =>
      ports.some((one) => one.port === port && one.protocol === protocol),
    );
  return isOurs === true ? vipText(row) : undefined;
}
