// What one planning leaves for the next: all that it derived, so that the next has to look at those
// claims and addresses alone about which something is different. It never changes a result:
// planning without it gives the same plan.

import {
  type Address,
  type AddressPool,
  type AgentView,
  type Claim,
  type ClaimId,
  type LeasedAddress,
  type Plan,
  type World,
  changedKeys,
  compareAge,
} from "@fairlead/model";

import { isAlike, keep } from "./alike.ts";
import type { Carried } from "./carried.ts";
import type { Misfit } from "./held-outside.ts";
import { type Grant, type Grants, createGrants } from "./grant.ts";
import type { InUse } from "./in-use.ts";
import { type Judgements, isInDoubt } from "./judge.ts";
import { type LaneResources, carriersOf } from "./lane-resources.ts";
import { type LeaseRows, createLeaseRows } from "./lease-rows.ts";
import { vipText } from "./members.ts";
import { givesOwn, isOwnAddress, ownPools } from "./own-address.ts";
import { type PoolBook, checkPools } from "./pools.ts";
import type { Seats } from "./seats.ts";
import type { Witnesses } from "./witness.ts";

declare const memoryBrand: unique symbol;

/** Opaque; belongs to one controller, and is handed to each of its plannings in turn. */
export interface PlanMemory {
  readonly [memoryBrand]: true;
}

/** What is really in a memory. Each planning changes it in place. */
export interface Remembered {
  readonly rows: LeaseRows;
  readonly grants: Grants;
  readonly carried: Map<Address, Carried>;
  readonly judgements: Judgements;
  /** Held addresses that their pool would not give, or not to whom it serves there. */
  readonly misfits: Map<Address, Misfit>;
  /** Claims that lack something or share an address: each planning tries them again. */
  readonly unsettled: Set<ClaimId>;
  /** Addresses that each planning looks at, because time or a mere report may change them. */
  readonly open: Set<Address>;
  /** Absent before the first planning. */
  last?: LastPlanning;
}

/** What the last planning was given and what it gave. */
export interface LastPlanning {
  readonly world: World;
  readonly book: PoolBook;
  readonly seats: Seats;
  readonly lanes: LaneResources;
  readonly inUse: InUse;
  readonly witnesses: Witnesses;
  readonly plan: Plan;
}

/** Makes an empty memory. */
export function createPlanMemory(): PlanMemory {
  const empty: Remembered = {
    rows: createLeaseRows(),
    grants: createGrants(),
    carried: new Map(),
    judgements: new Map(),
    misfits: new Map(),
    unsettled: new Set(),
    open: new Set(),
  };
  return empty as unknown as PlanMemory;
}

/** Opens a memory; without one, a new and empty one. */
export function openMemory(memory: PlanMemory | undefined): Remembered {
  return (memory ?? createPlanMemory()) as unknown as Remembered;
}

/**
 * The judged pools, once the rows are opened: judged again only when one of them is another object,
 * or when the use that decided between two of them changed.
 */
export function recallPools(
  memory: Remembered,
  world: World,
  agents: readonly AgentView[],
): PoolBook {
  const { rows } = memory;
  const book = givesOwn(world) ? recallOwn(memory, agents) : recallDeclared(memory, world.pools);
  rows.fill.begin(book, rows.all.values());
  return book;
}

function recallDeclared({ last, rows }: Remembered, pools: World["pools"]): PoolBook {
  const isKnown =
    last?.book.isOwn === false &&
    isSameList(last.world.pools, pools) &&
    areTiesAsJudged(rows, last.book);
  return isKnown ? last.book : checkPools(pools, (pool) => rows.isInUse(pool));
}

function recallOwn({ last }: Remembered, agents: readonly AgentView[]): PoolBook {
  const own = ownPools(agents);
  const isKnown = last?.book.isOwn === true && isAlike(last.book.usable.map(poolOf), own);
  return isKnown ? last.book : checkPools(own, () => false, true);
}

function poolOf({ pool }: PoolBook["usable"][number]): AddressPool {
  return pool;
}

/** Whether those pools are in use that were when pools were judged, as far as that decided. */
export function areTiesAsJudged(rows: LeaseRows, { ties }: PoolBook): boolean {
  for (const [pool, wasInUse] of ties) if (rows.isInUse(pool) !== wasInUse) return false;
  return true;
}

/**
 * Whether a row of a pool of mode host lost its lane by this planning: it was granted as one that
 * rides in a lane, and is one for hosts now.
 */
export function hasLeftLane(
  { all, touched }: LeaseRows,
  before: World["leases"],
  { byName }: PoolBook,
): boolean {
  for (const address of touched.addresses) {
    const row = all.get(address);
    if (row?.placement.kind !== "unplaced" || row.owners.length === 0) continue;
    const wasInLane = before.get(address)?.placement.kind === "lane";
    if (wasInLane && byName.get(row.pool)?.pool.mode === "host") return true;
  }
  return false;
}

/** Starts with the stored rows; those that differ from last time are touched, and open ones. */
export function openRows({ rows, open, last }: Remembered, leases: World["leases"]): void {
  rows.begin();
  for (const address of open) rows.touched.addresses.add(address);
  for (const address of changedKeys(last?.plan.leases ?? rows.all, leases)) {
    const row = leases.get(address);
    if (row === undefined) rows.drop(address);
    else rows.put(row);
  }
}

/** Addresses to be released and settled: when an operator spoke or a claim is absent, all. */
export function addressesToSettle({ rows, last }: Remembered, world: World): Iterable<Address> {
  const isSame =
    last !== undefined &&
    isSameList(last.world.intents, world.intents) &&
    isSameSet(last.world.absent, world.absent);
  return isSame ? new Set([...rows.touched.addresses, ...rows.unowned]) : [...rows.all.keys()];
}

/** The touched rows as they are now; one that came back to what it was is the one that it was. */
export function rowsNow(
  rows: LeaseRows,
  before: Plan["leases"],
): Map<Address, LeasedAddress | undefined> {
  const now = new Map<Address, LeasedAddress | undefined>();
  for (const address of rows.touched.addresses) {
    const row = rows.all.get(address);
    const kept = row && keep(before.get(address), row);
    if (kept !== undefined) rows.put(kept);
    now.set(address, kept);
  }
  return now;
}

/** Claims that are others than last time, or are gone. */
export function changedClaims({ last }: Remembered, claims: World["claims"]): readonly ClaimId[] {
  return changedKeys(last?.world.claims ?? NO_CLAIMS, claims);
}

const NO_CLAIMS: World["claims"] = new Map();

/** Addresses that have become a VIP, or another's, or none, so far as they were touched. */
export function turnedVips({ rows, last }: Remembered): ReadonlySet<Address> {
  const turned = new Set<Address>();
  for (const address of rows.touched.addresses) {
    const before = last?.plan.leases.get(address);
    const now = rows.all.get(address);
    if (before === now) continue;
    const isOwn = isOwnAddress(before) || isOwnAddress(now);
    if (isOwn || vipText(before) !== vipText(now)) turned.add(address);
  }
  return turned;
}

/** Owners of addresses that a stranger has now and had not last time, or the other way round. */
export function ownersDisturbed({ rows, last }: Remembered, inUse: InUse): readonly ClaimId[] {
  return changedKeys(last?.inUse ?? NO_STRANGERS, inUse).flatMap(
    (address) => rows.all.get(address)?.owners.map(({ claim }) => claim) ?? [],
  );
}

const NO_STRANGERS: InUse = new Map();

/** The claims that must be tried in any case next time, and the addresses to be looked at. */
export function remember(memory: Remembered, last: LastPlanning): void {
  const { rows, grants, open, unsettled } = memory;
  for (const id of rows.touched.claims) {
    const grant = grants.byClaim.get(id);
    if (grant === undefined || isSettled(grant, rows)) unsettled.delete(id);
    else unsettled.add(id);
  }
  for (const address of rows.touched.addresses) {
    const row = rows.all.get(address);
    if (row !== undefined && isOpen(memory, last, row)) open.add(address);
    else open.delete(address);
  }
  memory.last = last;
}

function isSettled(grant: Grant, rows: LeaseRows): boolean {
  if (grant.main !== undefined || !grant.programmed) return false;
  if (grant.move !== undefined || grant.isForNow === true) return false;
  // Placing may have taken a row out of its lane after it was granted.
  return grant.addresses.every((address) => {
    const row = rows.all.get(address);
    return row?.owners.length === 1 && row.placement.kind !== "unplaced";
  });
}

function isOpen(memory: Remembered, { lanes }: LastPlanning, row: LeasedAddress): boolean {
  const { carried, grants, judgements } = memory;
  const place = carried.get(row.address)?.place;
  if (place === undefined && grants.wanted.has(row.address)) return true;
  // An agent that has it and shall not is waited for.
  const carriers = carriersOf(lanes, place);
  if (row.sentTo.some((agent) => !carriers.includes(agent))) return true;
  return isInDoubt(judgements, row);
}

/** The claims of these ids that are there, oldest first. */
export function claimsOf(ids: ReadonlySet<ClaimId>, claims: World["claims"]): readonly Claim[] {
  const found: Claim[] = [];
  for (const id of ids) {
    const claim = claims.get(id);
    if (claim !== undefined) found.push(claim);
  }
  return found.sort(compareAge);
}

function isSameList<T>(a: readonly T[], b: readonly T[]): boolean {
  return a === b || (a.length === b.length && a.every((one, i) => one === b[i]));
}

function isSameSet<T>(a: ReadonlySet<T>, b: ReadonlySet<T>): boolean {
  return a === b || (a.size === b.size && [...a].every((one) => b.has(one)));
}
