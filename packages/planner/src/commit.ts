// Making a claim the owner of what was chosen for it, with the ports that nobody else has there.
// Given a choice; changes the desk's table, and says in a grant what the claim has and what it
// lacks.

import {
  type Address,
  type Claim,
  type LeaseOwner,
  type Placement,
  portText,
  type Reason,
  type Remark,
} from "@fairlead/model";

import type { Desk } from "./choose.ts";
import { type Grant, leftOutKey } from "./grant.ts";
import { giverOf } from "./reassign.ts";
import { type Clash, clashRemark, clashesOf, keyIn, portsOf } from "./sharing.ts";

/** Not all that is needed is to be had: the claim stays on what it keeps of what it holds. */
export function fallBack(
  options: Desk,
  claim: Claim,
  { held, kept }: { readonly held: readonly Address[]; readonly kept: readonly Address[] },
  problem: Remark,
): Grant {
  if (held.length === 0) return nothing(claim, problem);
  const grant = commit(options, claim, held, { chosen: kept, doubts: [problem], missed: [] });
  return grant.best === "ready" ? { ...grant, best: "pending" } : grant;
}

/** The claim has nothing, and why. */
export function nothing(claim: Claim, problem: Remark): Grant {
  return {
    claim,
    best: HEALING.has(problem.reason) ? "pending" : "refused",
    programmed: false,
    addresses: [],
    leftOut: NOTHING,
    main: problem,
    remarks: claim.remarks,
  };
}

/**
 * What ends by itself: somebody gives an address back, an agent lets go of one or connects, or an
 * IPAM answers.
 */
const HEALING: ReadonlySet<Reason> = new Set([
  "PoolExhausted",
  "Releasing",
  "NoSegment",
  "WaitsForIpam",
  "IpamUnreachable",
  "IpamRefused",
]);

/** What was chosen for a claim. */
export interface Decision {
  readonly chosen: readonly Address[];
  /** Why something that it keeps is not what it should have. */
  readonly doubts: readonly Remark[];
  /** Why something that it can do without is not there. */
  readonly missed: readonly Remark[];
  /** Where new addresses are; default: that is found out when they are placed. */
  readonly placements?: ReadonlyMap<Address, Placement>;
  /** Whether the next planning may decide otherwise; default: no. */
  readonly isForNow?: boolean;
}

/** Makes the claim the owner of what was chosen, and of nothing else. */
export function commit(
  options: Desk,
  claim: Claim,
  held: readonly Address[],
  { chosen: addresses, doubts, missed, placements, isForNow }: Decision,
): Grant {
  const leftOut = new Set<string>();
  const clashes: Remark[] = [];
  for (const address of addresses) {
    const found = enter(options, claim, { address, placement: placements?.get(address) });
    for (const clash of found.clashes) {
      leftOut.add(leftOutKey(address, clash.port));
      clashes.push(found.remark(clash));
    }
  }
  for (const address of held) {
    if (!addresses.includes(address)) options.table.leave(address, claim);
  }
  const isSilent = leftOut.size === addresses.length * claim.listeners.length;
  const [main, ...others] = [...clashes, ...doubts, ...missed];
  return {
    claim,
    best: isSilent ? "refused" : clashes.length > 0 ? "pending" : "ready",
    programmed: !isSilent,
    addresses,
    leftOut: leftOut.size === 0 ? NOTHING : leftOut,
    ...(placements === undefined ? {} : { perAgent: true }),
    ...(isForNow === true ? { isForNow } : {}),
    ...(main === undefined ? {} : { main }),
    remarks: others.length === 0 ? claim.remarks : [...others, ...claim.remarks],
  };
}

/** Makes the claim an owner with the ports that nobody else has there. */
function enter(
  { book, table }: Desk,
  claim: Claim,
  { address, placement }: { readonly address: Address; readonly placement: Placement | undefined },
): { readonly clashes: readonly Clash[]; readonly remark: (clash: Clash) => Remark } {
  const row = table.rows.get(address);
  const isShared = row?.owners.some((owner) => owner.claim !== claim.id) ?? false;
  const view = book.poolOf(address);
  const own = view?.pool.sharing === "ports" ? keyIn(view, claim) : undefined;
  const sharingKey = isShared ? row?.sharingKey : own;
  const clashes = row === undefined || !isShared ? [] : clashesOf(claim, row);
  const ports = clashes.length === 0 ? portsOf(claim) : portsWithout(claim, clashes);
  const pool = row === undefined ? view?.pool.name : giverOf(book, claim, row);
  if (pool !== undefined) {
    table.enter({
      address,
      claim,
      ports,
      pool,
      ...(sharingKey === undefined ? {} : { sharingKey }),
      ...(placement === undefined ? {} : { placement }),
    });
  }
  const remark = (clash: Clash): Remark =>
    row === undefined
      ? { reason: "SharingRefused", detail: `${clash.port} of ${address} is taken` }
      : clashRemark(row, clash);
  return { clashes, remark };
}

function portsWithout(claim: Claim, clashes: readonly Clash[]): LeaseOwner["ports"] {
  const taken = new Set(clashes.map((clash) => clash.port));
  return portsOf(claim).filter((port) => !taken.has(portText(port)));
}

/** No port is left out. */
export const NOTHING: ReadonlySet<string> = new Set();
