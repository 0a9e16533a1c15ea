// One pool as a row: its ranges and how full they are. Pure.

import { type AddressPool, type PoolName, present, rangeText } from "@fairlead/model";
import { poolFamilies, poolSize } from "@fairlead/planner";
import type { MessageInitShape, PoolRowSchema } from "@fairlead/wire";

import type { CycleView } from "../../cycle-view.ts";

/** The row of a pool that a source shows. */
export function poolRow(view: CycleView, name: PoolName): MessageInitShape<typeof PoolRowSchema> {
  const pool = present(view.state.pools.get(name), "the pool is seen").value;
  const { used, quarantined } = countLeases(view, name);
  return {
    name,
    ranges: rangesText(pool),
    mode: pool.mode,
    size: String(totalSize(pool)),
    used: BigInt(used),
    quarantined: BigInt(quarantined),
    origin: pool.origin,
  };
}

/** The ranges as people write them. */
export function rangesText(pool: AddressPool): string {
  return pool.ranges.map(rangeText).join(",");
}

/** Addresses of all families that the pool may give. */
export function totalSize(pool: AddressPool): bigint {
  return poolFamilies(pool).reduce((sum, family) => sum + poolSize(pool, family), 0n);
}

/** Addresses that were given from the pool: held or draining, and those that rest. */
export function countLeases(
  view: CycleView,
  name: PoolName,
): { readonly used: number; readonly quarantined: number } {
  let used = 0;
  let quarantined = 0;
  for (const { pool, state } of view.plan?.leases.values() ?? []) {
    if (pool !== name) continue;
    if (state.kind === "quarantined") quarantined += 1;
    else used += 1;
  }
  return { used, quarantined };
}
