// How full pools are, by family: one look at all leases for all pools together. Given pools and
// leases; a lease counts for the pool that gave it. Pure.

import {
  type AddressPool,
  type Family,
  type LeasedAddress,
  type PoolName,
  familyOf,
} from "@fairlead/model";
import { poolFamilies, poolSize } from "@fairlead/planner";

/** How full a pool is in one family. */
export interface PoolUse {
  readonly family: Family;
  /** Addresses that the pool may give; of an external one those that somebody has of it. */
  readonly size: bigint;
  readonly held: number;
  readonly draining: number;
  readonly quarantined: number;
}

/** What was given of each pool. */
export interface PoolUsage {
  /** IPv4 first; a family that the pool has no more, but that is held of it, is there too. */
  of(pool: AddressPool): readonly PoolUse[];
}

interface Count {
  held: number;
  draining: number;
  quarantined: number;
}

/** Counts all leases. */
export function countUsage(leases: Iterable<LeasedAddress>): PoolUsage {
  const counts = new Map<PoolName, Partial<Record<Family, Count>>>();
  for (const { address, pool, state } of leases) {
    const families = counts.get(pool) ?? {};
    const family = familyOf(address);
    const count = families[family] ?? { held: 0, draining: 0, quarantined: 0 };
    count[state.kind] += 1;
    families[family] = count;
    counts.set(pool, families);
  }
  return {
    of: (pool) => {
      const given = counts.get(pool.name);
      const own = poolFamilies(pool);
      return FAMILIES.flatMap((family) => {
        const count = given?.[family];
        if (count === undefined && !own.includes(family)) return [];
        const uses = count ?? NOTHING;
        const size = pool.external === undefined ? poolSize(pool, family) : sumOf(uses);
        return [{ family, size, ...uses }];
      });
    },
  };
}

function sumOf({ held, draining, quarantined }: Readonly<Count>): bigint {
  return BigInt(held + draining + quarantined);
}

const FAMILIES: readonly Family[] = ["ipv4", "ipv6"];
const NOTHING: Readonly<Count> = { held: 0, draining: 0, quarantined: 0 };
