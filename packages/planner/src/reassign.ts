// Moves of claims off addresses that they do not ask for any more, and off those that their pool
// gives no more, where it says `onShrink: reassign`: of the latter one claim at a time. Each keeps
// its old address until the new one is proved to serve. Nothing is stored of a move: who owns an
// address of each sort is in the midst of it.

import {
  type Address,
  type Claim,
  type ClaimId,
  type LeasedAddress,
  type PoolName,
  type Remark,
  familyOf,
} from "@fairlead/model";

import type { Grant } from "./grant.ts";
import type { Judgements } from "./judge.ts";
import type { LeaseTable } from "./lease-table.ts";
import { type PoolBook, isGivenBy } from "./pools.ts";
import { keyIn } from "./sharing.ts";

/** By claim, new addresses that are proved to serve. */
export type Arrivals = ReadonlyMap<ClaimId, ReadonlySet<Address>>;

/** Nobody has arrived. */
export const NO_ARRIVALS: Arrivals = new Map();

/** Whether what takes the place of the claim's other addresses is proved to serve. */
export function hasArrived({ arrived }: MoveTurn, { id }: Claim, address: Address): boolean {
  return arrived.get(id)?.has(address) === true;
}

/** Whose turn it is to move. */
export interface MoveTurn {
  /** By claim its new addresses that were proved to serve: what they take the place of goes. */
  readonly arrived: Arrivals;
  /** Whether another claim has the turn. */
  isTaken(claim: Claim): boolean;
  take(claim: Claim): void;
}

/** The turn while nothing is to move: nobody gets it, and nobody leaves what it has. */
export const NO_TURN: MoveTurn = {
  arrived: NO_ARRIVALS,
  isTaken: () => true,
  take: () => undefined,
};

/** The turn of those who ask for an address themselves: they wait for nobody, frozen or not. */
export function createOwnTurn(arrived: Arrivals): MoveTurn {
  return { arrived, isTaken: () => false, take: () => undefined };
}

/** Makes the turn of one planning; nobody has it. */
export function createMoveTurn(arrived: Arrivals): MoveTurn {
  let mover: ClaimId | undefined;
  return {
    arrived,
    isTaken: ({ id }) => mover !== undefined && mover !== id,
    take: ({ id }) => {
      mover ??= id;
    },
  };
}

/** How what a claim holds compares with what it asks for. */
export type Fit =
  | "fits"
  /** It has to leave it at once. */
  | "unwanted"
  /** It asks for another one. */
  | "unasked"
  /** Its pool gives it no more, and wants it to move. */
  | "displaced";

/** What fitting reads. */
export interface FitOptions {
  readonly book: PoolBook;
  readonly table: LeaseTable;
}

/** Judges an address that the claim owns. */
export function fitOf(
  { book, table }: FitOptions,
  claim: Claim,
  address: Address,
  wishes: readonly Address[],
): Fit {
  if (wishes.length > 0) return wishes.includes(address) ? "fits" : "unasked";
  const row = table.rows.get(address);
  if (row === undefined) return "unwanted";
  const key = keyIn(book.poolOf(address), claim);
  if (row.owners.length > 1 && row.sharingKey !== key) return "unwanted";
  const giver = book.byName.get(giverOf(book, claim, row));
  if (claim.wishedPool !== undefined && giver?.pool.name !== claim.wishedPool) return "unasked";
  const isLeft = giver?.pool.onShrink === "reassign" && !isGivenBy(book, giver.pool.name, address);
  return isLeft ? "displaced" : "fits";
}

/**
 * The pool that an address counts as given by: the one that holds it now, unless the claim asked
 * for the one that gave it.
 */
export function giverOf(
  book: PoolBook,
  { wishedPool }: Claim,
  row: Pick<LeasedAddress, "address" | "pool">,
): PoolName {
  return row.pool === wishedPool ? row.pool : (book.poolOf(row.address)?.pool.name ?? row.pool);
}

/** What a claim has to leave as soon as something else serves. */
export interface Left {
  readonly addresses: readonly Address[];
  /** Whether it asks for another one instead, and not only its pool. */
  readonly isWished: boolean;
}

/** Of what a claim owns, what it has to leave in time, in the same order. */
export function leftOf(fits: readonly { readonly address: Address; readonly fit: Fit }[]): Left {
  const left = fits.filter(({ fit }) => fit === "displaced" || fit === "unasked");
  return {
    addresses: left.map(({ address }) => address),
    isWished: left.some(({ fit }) => fit === "unasked"),
  };
}

/** Of what the claim has to leave, what serves clients until something else does. */
export function stillServing(
  { rows }: LeaseTable,
  displaced: readonly Address[],
): readonly Address[] {
  return displaced.filter((address) => rows.get(address)?.published === true);
}

/** Whether the claim owns both an address that its pool gives no more and one in its place. */
export function isMidway(options: FitOptions, claim: Claim): boolean {
  const held = options.table.heldBy(claim);
  if (held.length < 2) return false;
  const isLeft = (address: Address): boolean => {
    const wishes = claim.wishedAddresses.filter((one) => familyOf(one) === familyOf(address));
    return fitOf(options, claim, address, wishes) === "displaced";
  };
  return held.some(
    (address) =>
      isLeft(address) &&
      held.some((other) => familyOf(other) === familyOf(address) && !isLeft(other)),
  );
}

/** A move of a claim. */
export interface Move {
  readonly from: readonly Address[];
  /** What takes the place of the others; absent while it has no turn. */
  readonly to?: Address;
  /** Whether the claim asks for that one, and not its pool. */
  readonly isWished: boolean;
}

/** Says what of the grant is on its way: it is served by what it leaves until that has gone. */
export function withMoves(grant: Grant, moves: readonly Move[]): Grant {
  if (moves.length === 0) return grant;
  const leaving = moves.flatMap(({ from }) => from);
  const arriving = moves.flatMap(({ to }) => (to === undefined ? [] : [to]));
  const remarks = moves.map(moveRemark);
  const isWished = moves.some((move) => move.isWished);
  const move = { leaving, arriving, isWished };
  return { ...grant, remarks: [...remarks, ...grant.remarks], move };
}

function moveRemark({ from, to, isWished }: Move): Remark {
  if (isWished) {
    const detail = `${to} is asked for, and takes the place of ${from.join(", ")} as soon as it serves`;
    return { reason: "WaitingForAgent", detail };
  }
  const verb = from.length > 1 ? "are" : "is";
  const next =
    to === undefined
      ? "another one takes its place when its turn comes"
      : `${to} takes its place as soon as it serves`;
  const detail = `${from.join(", ")} ${verb} no longer given by its pool; ${next}`;
  return { reason: "HeldOutside", detail };
}

/** Moves that a plan has come to the end of, or that need not wait any more. */
export interface MovesOver {
  readonly arrived: Arrivals;
  /** Whether an old address has nobody to serve any more. */
  readonly isIdle: boolean;
}

/** Looks at the moves among the grants of one planning, after judging. */
export function movesOver(
  grants: Iterable<Grant>,
  { judgements, rows }: { readonly judgements: Judgements } & Pick<LeaseTable, "rows">,
): MovesOver {
  const arrived = new Map<ClaimId, ReadonlySet<Address>>();
  let isIdle = false;
  for (const { claim, move } of grants) {
    if (move === undefined) continue;
    const { arriving, leaving } = move;
    isIdle ||= leaving.some((address) => rows.get(address)?.published !== true);
    const proofs = judgements.get(claim.id)?.proofs ?? [];
    const isProved = (address: Address): boolean =>
      proofs.some((proof) => proof.address === address && proof.state === "proved");
    const there = arriving.filter(isProved);
    if (there.length > 0) arrived.set(claim.id, new Set(there));
  }
  return { arrived, isIdle };
}
