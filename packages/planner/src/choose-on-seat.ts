// Choosing one address of one family on one seat, in the order of preference: what the claim holds
// there, what it wishes for, what its namesake held, a shared one, the lowest free, a resting one.
// Given the rows as they are now; changes nothing.

import {
  type Address,
  type Claim,
  type Family,
  type LeasedAddress,
  type Remark,
  familyOf,
  holdersText,
} from "@fairlead/model";

import { accessOf } from "./access.ts";
import { bestOf } from "./best-held.ts";
import { type Choice, type Desk, whyNotWished } from "./choose.ts";
import { fillText } from "./pool-fill.ts";
import { type PoolView, withheld } from "./pools.ts";
import { type Left, fitOf, hasArrived, leftOf, stillServing } from "./reassign.ts";
import { type Seat, isInSeat } from "./seats.ts";
import { keyIn, whyNotShared } from "./sharing.ts";
import { isOthers } from "./unusable.ts";

/** What is chosen for. */
export interface SeatRequest {
  readonly claim: Claim;
  readonly view: PoolView;
  readonly seat: Seat;
  readonly family: Family;
  /** All that the claim holds, lowest first. */
  readonly held: readonly Address[];
  /** Why it cannot have what it wishes for, where no seat at all has any of that. */
  readonly stray?: Remark;
  /** Whether it is chosen for another seat already. */
  readonly isTaken: (address: Address) => boolean;
}

/** Chooses one address. */
export function chooseOnSeat(desk: Desk, request: SeatRequest): Choice {
  const { claim, seat, held } = request;
  const own = held.filter(
    (address) => fits(desk, request, address) && isHeldOn(desk, seat, address),
  );
  // What another agent has is wished for on that one.
  const wishes = claim.wishedAddresses.filter(
    (address) => isInSeat(seat, address) && (floats(desk, address) || fits(desk, request, address)),
  );
  const { stray } = request;
  if (stray !== undefined) {
    const first = bestOf(desk, own);
    if (first === undefined) return { kind: "none", problem: stray };
    return { kind: "keep", address: first, doubt: stray };
  }
  const best = (some: readonly Address[]): Address | undefined =>
    some.find((address) => wishes.includes(address)) ?? bestOf(desk, some);
  const current = best(own.filter((address) => isFitting(desk, claim, address, wishes)));
  const { addresses, isWished } = leaving(desk, claim, own, wishes);
  // Of these, what serves clients until something else does.
  const from = stillServing(desk.table, addresses);
  const turn = isWished ? desk.ownTurn : desk.turn;
  if (current !== undefined) {
    if (from.length === 0 || hasArrived(turn, claim, current)) {
      return { kind: "keep", address: current };
    }
    turn.take(claim);
    return { kind: "move", from, to: current, isWished };
  }
  const troubles = wishes.map(
    (address) => whyNotWished(desk, claim, address) ?? whyNotOwn(desk, address),
  );
  const wished = wishes[troubles.indexOf(undefined)];
  const found = wishes.length > 0 ? wished : findAny(desk, request);
  if (found !== undefined) {
    if (from.length === 0) return { kind: "take", address: found };
    if (turn.isTaken(claim)) return { kind: "move", from, isWished };
    turn.take(claim);
    return { kind: "move", from, to: found, isWished };
  }
  const problem = troubles[0] ?? whyClosed(desk, request) ?? whyNone(desk, request);
  const first = best(own);
  if (first === undefined) return { kind: "none", problem };
  return { kind: "keep", address: first, doubt: problem };
}

/** What it has on the seat and has to leave. A stranger's address goes at once. */
function leaving(
  desk: Desk,
  claim: Claim,
  own: readonly Address[],
  wishes: readonly Address[],
): Left {
  return leftOf(
    own
      .filter((address) => !desk.inUse.has(address))
      .map((address) => ({ address, fit: fitOf(desk, claim, address, wishes) })),
  );
}

/** What a stranger has is left, but by who wishes for it. */
function isFitting(
  desk: Desk,
  claim: Claim,
  current: Address,
  wishes: readonly Address[],
): boolean {
  if (desk.inUse.has(current) && !wishes.includes(current)) return false;
  return fitOf(desk, claim, current, wishes) === "fits";
}

function whyNone(desk: Desk, { view, seat, family }: SeatRequest): Remark {
  if (!view.families.includes(family)) {
    return { reason: "FamilyUnavailable", detail: `no ${family} range is in ${view.pool.name}` };
  }
  if (!seat.ranges.some((range) => range.family === family)) {
    const detail = `${seat.agent} has no ${family} network of pool ${view.pool.name}`;
    return { reason: "NoSegment", detail };
  }
  const fill = fillText(view, family, desk.fill.of(view.pool.name, family));
  return { reason: "PoolExhausted", detail: `no ${family} is free in ${fill} for ${seat.agent}` };
}

/**
 * Why the pool gives the claim nothing that it has not: it asks for another one. What it took here
 * would be no more wanted than what it has, and left again by the next planning.
 */
function whyClosed({ book }: Desk, { claim, view }: SeatRequest): Remark | undefined {
  const { name } = view.pool;
  if (claim.wishedPool === undefined || claim.wishedPool === name) return undefined;
  const access = accessOf(claim, book);
  if (access.kind === "closed") return access.problem;
  const detail = `it wishes for an address of pool ${name}, and pool ${claim.wishedPool} is asked for`;
  return { reason: "ConflictingWishes", detail };
}

/** Whether the address is of the family, and may be of this seat. */
function fits(desk: Desk, { seat, family, isTaken }: SeatRequest, address: Address): boolean {
  if (familyOf(address) !== family || isTaken(address)) return false;
  const row = desk.table.rows.get(address);
  return row === undefined || mayBeOn(desk, row, seat);
}

/** An address that another agent has, or may have yet, is of that one's seat. */
function mayBeOn(
  { forgotten }: Desk,
  { placement, sentTo }: LeasedAddress,
  { agent }: Seat,
): boolean {
  if (placement.kind === "host") return placement.agent === agent;
  const others = sentTo.filter((name) => name !== agent && !forgotten.has(name));
  return placement.kind === "unplaced" && others.length === 0;
}

/** Whether it rides in a lane: its pool had another mode when it was given. */
function floats(desk: Desk, address: Address): boolean {
  return desk.table.rows.get(address)?.placement.kind === "lane";
}

function whyNotOwn(desk: Desk, address: Address): Remark | undefined {
  const row = desk.table.rows.get(address);
  if (row === undefined || !floats(desk, address)) return undefined;
  const held = row.owners.length === 0 ? "" : `, held by ${holdersText(row)}`;
  const detail = `${address} floats among hosts until it is given up${held}, and is no host's own`;
  return { reason: "AddressTaken", detail };
}

function isHeldOn(desk: Desk, seat: Seat, address: Address): boolean {
  return desk.table.rows.get(address)?.placement.kind === "host" || isInSeat(seat, address);
}

function findAny(desk: Desk, request: SeatRequest): Address | undefined {
  if (whyClosed(desk, request) !== undefined) return undefined;
  const { claim, view, seat, family } = request;
  const { table, free } = desk;
  const isFree = (address: Address): boolean =>
    fits(desk, request, address) &&
    !isOthers(desk, address) &&
    isInSeat(seat, address) &&
    withheld(view, address) === undefined;
  const left = table.leftBy(claim.id).find(isFree);
  if (left !== undefined) return left;
  return (
    findShared(desk, request, isFree) ??
    free.lowestIn(
      view,
      seat.ranges.filter((range) => range.family === family),
      request.isTaken,
    ) ??
    free.oldestRestingIn(view, family, isFree)
  );
}

/** The lowest address of the seat under the claim's key that has room for its ports. */
function findShared(
  { table }: Desk,
  { claim, view }: SeatRequest,
  isFree: (address: Address) => boolean,
): Address | undefined {
  const key = keyIn(view, claim);
  const shared = key === undefined ? [] : table.sharedBy(key);
  return shared.find((address) => {
    const row = table.rows.get(address);
    const isOwner = row?.owners.some((owner) => owner.claim === claim.id) ?? true;
    if (row === undefined || isOwner) return false;
    return isFree(address) && whyNotShared(claim, row, view) === undefined;
  });
}
