// How full each pool is, by family, kept up to date row by row: what a refusal says of a full pool
// must not cost a look at every lease. Given rows as they change; an address counts for the pool
// whose ranges hold it, whichever pool gave it.

import { type Family, type LeasedAddress, type PoolName, familyOf } from "@fairlead/model";

import { poolSize, reservedSize } from "./pool-size.ts";
import type { PoolBook, PoolView } from "./pools.ts";

/** Addresses of one family of one pool that are in a row, by the row's state. */
export interface FillCount {
  readonly held: number;
  readonly draining: number;
  readonly quarantined: number;
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
  const counts = new Map<string, Record<keyof FillCount, number>>();

  function count(row: LeasedAddress | undefined, by: number): void {
    if (row === undefined) return;
    const pool = book?.poolOf(row.address)?.pool;
    if (pool === undefined) return;
    const key = fillKey(pool.name, familyOf(row.address));
    const known = counts.get(key) ?? { ...NOTHING };
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

const NOTHING: FillCount = { held: 0, draining: 0, quarantined: 0 };

function fillKey(pool: PoolName, family: Family): string {
  return `${family} ${pool}`;
}

/**
 * How full a pool is that has nothing free: `lan (7 of 10 held, 1 draining, 1 quarantined, 1
 * unusable; 2 more reserved)`. Unusable are addresses of hosts, nodes and API servers, the first
 * and last of a network, and what strangers have; one that is quarantined and not given has
 * somebody yet.
 */
export function fillText({ pool }: PoolView, family: Family, count: FillCount): string {
  const { held, draining, quarantined } = count;
  const size = poolSize(pool, family);
  const rest = size - BigInt(held + draining + quarantined);
  const parts = [
    `${held} of ${size} held`,
    ...(draining === 0 ? [] : [`${draining} draining`]),
    ...(quarantined === 0 ? [] : [`${quarantined} quarantined`]),
    ...(rest <= 0n ? [] : [`${rest} unusable`]),
  ];
  const reserved = reservedSize(pool, family);
  const more = reserved === 0n ? "" : `; ${reserved} more reserved`;
  return `${pool.name} (${parts.join(", ")}${more})`;
}
