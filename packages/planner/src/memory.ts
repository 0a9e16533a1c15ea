// What one planning remembers for the next, so that one changed claim among ten thousand costs
// little and unchanged values stay the same objects. It never changes a result: planning without
// it gives the same plan.

import {
  type Address,
  type Claim,
  type ClaimId,
  type LeasedAddress,
  type World,
  compareAge,
} from "@fairlead/model";

import type { Grant } from "./grant.ts";
import type { Judged } from "./judge.ts";
import { type PoolBook, checkPools } from "./pools.ts";
import type { Programmed } from "./program.ts";
import type { Witnesses } from "./witness.ts";

declare const memoryBrand: unique symbol;

/** Opaque; belongs to one controller, and is handed to each of its plannings in turn. */
export interface PlanMemory {
  readonly [memoryBrand]: true;
}

/** What is really in a memory. */
export interface Remembered {
  pools?: { readonly given: World["pools"]; readonly book: PoolBook };
  order?: readonly Claim[];
  grants?: ReadonlyMap<ClaimId, GrantMemory>;
  programmed?: Programmed;
  witnesses?: Witnesses;
  judged?: Judged;
  rows?: ReadonlyMap<Address, LeasedAddress>;
}

/** A grant that nothing was left to wish for, and the rows it stands on. */
export interface GrantMemory {
  readonly grant: Grant;
  readonly book: PoolBook;
  readonly rows: readonly LeasedAddress[];
}

/** Makes an empty memory. */
export function createPlanMemory(): PlanMemory {
  const empty: Remembered = {};
  return empty as unknown as PlanMemory;
}

/** Opens a memory; without one, a new and empty one. */
export function openMemory(memory: PlanMemory | undefined): Remembered {
  return (memory ?? createPlanMemory()) as unknown as Remembered;
}

/** The judged pools: judged again only when one of them is another object. */
export function recallPools(memory: Remembered, pools: World["pools"]): PoolBook {
  const known = memory.pools;
  const isSame =
    known?.given.length === pools.length && known.given.every((pool, i) => pool === pools[i]);
  if (isSame) return known.book;
  const book = checkPools(pools);
  memory.pools = { given: pools, book };
  return book;
}

/** The grant of last time, when claim, pools and rows are the very same. */
export function recallGrant(
  memory: Remembered,
  claim: Claim,
  book: PoolBook,
  rows: ReadonlyMap<Address, LeasedAddress>,
): Grant | undefined {
  const known = memory.grants?.get(claim.id);
  if (known === undefined || known.grant.claim !== claim || known.book !== book) return undefined;
  return hasSameRows(known, rows) ? known.grant : undefined;
}

function hasSameRows(known: GrantMemory, rows: ReadonlyMap<Address, LeasedAddress>): boolean {
  return known.rows.every((row) => rows.get(row.address) === row);
}

/** What a planning leaves for the next. */
export interface Learnt {
  readonly book: PoolBook;
  readonly grants: ReadonlyMap<ClaimId, Grant>;
  readonly rows: ReadonlyMap<Address, LeasedAddress>;
  readonly programmed: Programmed;
  readonly witnesses: Witnesses;
  readonly judged: Judged;
}

/** Remembers what was planned; of grants, those that are complete and share no address. */
export function remember(memory: Remembered, learnt: Learnt): void {
  const { book, grants, rows } = learnt;
  memory.programmed = learnt.programmed;
  memory.witnesses = learnt.witnesses;
  memory.judged = learnt.judged;
  memory.rows = rows;
  const next = new Map<ClaimId, GrantMemory>();
  for (const [id, grant] of grants) {
    if (grant.main !== undefined || !grant.programmed) continue;
    const known = memory.grants?.get(id);
    if (known?.grant === grant && known.book === book && hasSameRows(known, rows)) {
      next.set(id, known);
      continue;
    }
    const own = grant.addresses.flatMap((address) => rows.get(address) ?? []);
    if (own.every((row) => row.owners.length === 1)) next.set(id, { grant, book, rows: own });
  }
  memory.grants = next;
}

/**
 * The claims in the order they are served. Sorting what is nearly sorted is cheap, so the last
 * order is where it starts.
 */
export function recallOrder(
  memory: Remembered,
  claims: ReadonlyMap<ClaimId, Claim>,
): readonly Claim[] {
  const known: Claim[] = [];
  const last = memory.order ?? [];
  for (const { id } of last) {
    const claim = claims.get(id);
    if (claim !== undefined) known.push(claim);
  }
  if (known.length < claims.size) {
    const seen = new Set(last.map(({ id }) => id));
    for (const claim of claims.values()) if (!seen.has(claim.id)) known.push(claim);
  }
  known.sort(compareAge);
  memory.order = known;
  return known;
}
