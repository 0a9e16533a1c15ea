// What is to be known of an import before it is judged: the pools as the next plan will have them,
// what the file says that is not here already, and what each claim owns in the file and here. Pure.

import {
  type Address,
  type AgentName,
  type ClaimId,
  type LeasedAddress,
  type World,
  compareAddress,
  familyOf,
} from "@fairlead/model";
import { type PoolBook, isGivenBy, poolsOf } from "@fairlead/planner";

/** A file of leases beside what is here. */
export interface ImportView {
  readonly world: World;
  readonly book: PoolBook;
  /** Sorted by address. */
  readonly file: readonly LeasedAddress[];
  /** Of the file, what the store does not say too, in the same order. */
  readonly news: ReadonlySet<LeasedAddress>;
  /** What a claim owns by the file, of the family of the address. */
  readonly inFile: OwnedBy;
  /** The same by the store. */
  readonly inStore: OwnedBy;
}

/** Leases of one claim and of the family of an address. */
export type OwnedBy = (claim: ClaimId, like: Address) => readonly LeasedAddress[];

/** Looks at a file. */
export function viewImport(world: World, leases: readonly LeasedAddress[]): ImportView {
  const file = leases.toSorted((a, b) => compareAddress(a.address, b.address));
  const owned = [...world.leases.values(), ...file].filter(({ owners }) => owners.length > 0);
  const inUse = new Set(owned.map(({ pool }) => pool));
  return {
    world,
    book: poolsOf(world, (pool) => inUse.has(pool)),
    file,
    news: new Set(file.filter((lease) => !isKnown(world, lease))),
    inFile: ownedBy(file),
    inStore: ownedBy(world.leases.values()),
  };
}

function ownedBy(leases: Iterable<LeasedAddress>): OwnedBy {
  const owned = new Map<string, LeasedAddress[]>();
  const keyOf = (claim: ClaimId, like: Address): string => `${familyOf(like)} ${claim}`;
  for (const lease of leases) {
    for (const { claim } of lease.owners) {
      const key = keyOf(claim, lease.address);
      const known = owned.get(key);
      if (known === undefined) owned.set(key, [lease]);
      else known.push(lease);
    }
  }
  return (claim, like) => owned.get(keyOf(claim, like)) ?? [];
}

/** Whether the store says the same of who owns the address. */
function isKnown(world: World, { address, owners, state }: LeasedAddress): boolean {
  const row = world.leases.get(address);
  if (row === undefined || row.state.kind !== state.kind) return false;
  return row.owners.length === owners.length && row.owners.every((owner) => has(owners, owner));
}

function has(owners: LeasedAddress["owners"], { claim, uid }: LeasedAddress["owners"][number]) {
  return owners.some((other) => other.claim === claim && other.uid === uid);
}

/** Whether its pool gives it no more, and wants its owners to move. */
export function isLeft({ book }: ImportView, { address, pool }: LeasedAddress): boolean {
  const giver = book.byName.get(pool)?.pool;
  return giver?.onShrink === "reassign" && !isGivenBy(book, pool, address);
}

/** Whether it is on its way: each of its owners has what takes its place. */
export function isBeingLeft(view: ImportView, lease: LeasedAddress): boolean {
  if (!isLeft(view, lease)) return false;
  return lease.owners.every(({ claim }) =>
    [...view.inFile(claim, lease.address), ...view.inStore(claim, lease.address)].some((other) =>
      isGivenBy(view.book, other.pool, other.address),
    ),
  );
}

/**
 * Whether both are hosts' own, of two hosts: a claim has one of each. Those that were given so are
 * that still where their pool has another mode by now.
 */
export function areOfTwoHosts({ book }: ImportView, a: LeasedAddress, b: LeasedAddress): boolean {
  const [one, other] = [agentOf(a), agentOf(b)];
  if (one !== undefined && other !== undefined) return one !== other;
  return [a, b].every(({ pool }) => book.byName.get(pool)?.pool.mode === "host");
}

/** The agent that has it by itself; undefined: it is not known which, or it rides in a lane. */
function agentOf({ placement, sentTo }: LeasedAddress): AgentName | undefined {
  if (placement.kind === "host") return placement.agent;
  return placement.kind === "unplaced" && sentTo.length === 1 ? sentTo[0] : undefined;
}

/**
 * Whether one claim may have both for the length of a move: one of them serves until the other
 * does, or is no more given. What others have too may serve them already.
 */
export function isMove(view: ImportView, a: LeasedAddress, b: LeasedAddress): boolean {
  if (isLeft(view, a) || isLeft(view, b)) return true;
  if (a.published !== b.published) return true;
  return a.published && (a.owners.length > 1 || b.owners.length > 1);
}
