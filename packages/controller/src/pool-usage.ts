// How full pools are, by family: one look at all leases for all pools together. Given pools and
// leases. A lease is of the pool that gave it; it fills the pool while that still gives the
// address, and is counted apart once the pool was edited so that it does not. Pure.

import {
  type AddressPool,
  type Family,
  type LeasedAddress,
  type PoolName,
  familyOf,
} from "@fairlead/model";
import { givenBy, poolFamilies, poolSize } from "@fairlead/planner";

/** How full a pool is in one family. */
export interface PoolUse {
  readonly family: Family;
  /** Addresses that the pool may give; of an external one those that somebody has of it. */
  readonly size: bigint;
  /** Of these, as are the next two. */
  readonly held: number;
  readonly draining: number;
  readonly quarantined: number;
  /** Addresses that it gave and gives no more, and that are held or draining. */
  readonly outside: number;
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
  outside: number;
}

/** Counts all leases. */
export function countUsage(leases: Iterable<LeasedAddress>): PoolUsage {
  const byPool = Map.groupBy(leases, ({ pool }) => pool);
  return {
    of: (pool) => {
      const counts = countIn(pool, byPool.get(pool.name) ?? []);
      const own = poolFamilies(pool);
      return FAMILIES.flatMap((family) => {
        const count = counts[family];
        if (count === undefined && !own.includes(family)) return [];
        const uses = count ?? NOTHING;
        const size = pool.external === undefined ? poolSize(pool, family) : sumOf(uses);
        return [{ family, size, ...uses }];
      });
    },
  };
}

/**
 * Tells of leases whether the pool that gave them still would. Where there is no pool at all,
 * hosts' own addresses are given.
 * @param pools one of each name.
 */
export function insideOf(pools: readonly AddressPool[]): (lease: LeasedAddress) => boolean {
  if (pools.length === 0) return () => true;
  const insides = new Map<PoolName, (lease: LeasedAddress) => boolean>(
    pools.map((pool) => [pool.name, insideOne(pool)]),
  );
  return (lease) => insides.get(lease.pool)?.(lease) === true;
}

/** An external pool has no ranges but what it was given. */
function insideOne(pool: AddressPool): (lease: LeasedAddress) => boolean {
  if (pool.external !== undefined) return () => true;
  const gives = givenBy(pool);
  return ({ address }) => gives(address);
}

function countIn(
  pool: AddressPool,
  leases: readonly LeasedAddress[],
): Partial<Record<Family, Count>> {
  const isInside = insideOne(pool);
  const counts: Partial<Record<Family, Count>> = {};
  for (const lease of leases) {
    const { kind } = lease.state;
    const place = isInside(lease) ? kind : "outside";
    // What rests outside of the pool is missed by nobody.
    if (place === "outside" && kind === "quarantined") continue;
    const count = (counts[familyOf(lease.address)] ??= { ...NOTHING });
    count[place] += 1;
  }
  return counts;
}

function sumOf({ held, draining, quarantined }: Readonly<Count>): bigint {
  return BigInt(held + draining + quarantined);
}

const FAMILIES: readonly Family[] = ["ipv4", "ipv6"];
const NOTHING: Readonly<Count> = { held: 0, draining: 0, quarantined: 0, outside: 0 };
