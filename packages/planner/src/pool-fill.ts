// How full each pool is, by family, kept up to date row by row: what a refusal says of a full pool
// must not cost a look at every lease. Given rows as they change; an address counts for the pool
// whose ranges hold it, whichever pool gave it.

import { type Family, type LeasedAddress, type PoolName, familyOf } from "@fairlead/model";

import { poolSize } from "./pool-size.ts";
import type { PoolBook, PoolView } from "./pools.ts";

/** Addresses of one family of one pool that are not to be had. */
export interface FillCount {
  readonly held: number;
  readonly draining: number;
}

/** Counts by pool and family. */
export interface PoolFill {
  /** Counts by other pools from now on; what the rows are is told anew then. */
  begin(book: PoolBook, rows: Iterable<LeasedAddress>): void;
  /** A row came, changed or went. */
  change(old: LeasedAddress | undefined, now: LeasedAddress | undefined): void;
  of(pool: PoolName, family: Family): FillCount;
}

/** Makes counts of nothing. */
export function createPoolFill(): PoolFill {
  let book: PoolBook | undefined;
  const counts = new Map<string, { held: number; draining: number }>();

  function count(row: LeasedAddress | undefined, by: number): void {
    if (row === undefined || row.state.kind === "quarantined") return;
    const pool = book?.poolOf(row.address)?.pool;
    if (pool === undefined) return;
    const key = fillKey(pool.name, familyOf(row.address));
    const known = counts.get(key) ?? { held: 0, draining: 0 };
    known[row.state.kind] += by;
    counts.set(key, known);
  }

  return {
    begin: (next, rows) => {
      if (next === book) return;
      book = next;
      counts.clear();
      for (const row of rows) count(row, 1);
    },
    change: (old, now) => {
      if (old?.state.kind === now?.state.kind) return;
      count(old, -1);
      count(now, 1);
    },
    of: (pool, family) => ({ ...(counts.get(fillKey(pool, family)) ?? NOTHING) }),
  };
}

const NOTHING: FillCount = { held: 0, draining: 0 };

function fillKey(pool: PoolName, family: Family): string {
  return `${family} ${pool}`;
}

/**
 * How full a pool is that has nothing free: `lan (8 of 10 held, 1 draining, 1 unusable)`. Unusable
 * are hosts' own addresses, and the first and last of a network.
 */
export function fillText({ pool }: PoolView, family: Family, count: FillCount): string {
  const size = poolSize(pool, family);
  const rest = size - BigInt(count.held + count.draining);
  const draining = count.draining === 0 ? "" : `, ${count.draining} draining`;
  const unusable = rest <= 0n ? "" : `, ${rest} unusable`;
  return `${pool.name} (${count.held} of ${size} held${draining}${unusable})`;
}
