// Which addresses of netblocks are held. Read from the rows, which name the netblock that gave
// them: a netblock never loses an address that is held, so that it is still the one.

import type { LeasedAddress } from "@fairlead/model";

import type { Uuid } from "./ipam-model.ts";
import type { ClassState } from "./ipam-state.ts";

/** Rows of the netblock that somebody owns. */
export function heldIn(world: ClassState, netblock: Uuid): readonly LeasedAddress[] {
  return [...world.leases.values()].filter(
    (row) => row.owners.length > 0 && String(row.pool) === netblock,
  );
}

/** How many addresses are held, by netblock; those of which none is are left out. */
export function countHeld(world: ClassState): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { pool, owners } of world.leases.values()) {
    if (owners.length > 0) counts.set(pool, (counts.get(pool) ?? 0) + 1);
  }
  return counts;
}
