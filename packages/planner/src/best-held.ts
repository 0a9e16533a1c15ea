// Of several addresses that a claim holds, which ones it keeps. Given the rows; changes nothing.

import { type Address, familyOf } from "@fairlead/model";

import type { LeaseTable } from "./lease-table.ts";

/** What choosing among them reads. */
interface Held {
  readonly table: Pick<LeaseTable, "rows">;
}

/** Of several that it holds, the one that clients know, then the lowest. */
export function bestOf({ table }: Held, held: readonly Address[]): Address | undefined {
  return held.find((address) => table.rows.get(address)?.published === true) ?? held[0];
}

/**
 * Of agents' own addresses, those that did not go with their agent; where all did, the best of each
 * family.
 */
export function livingOf({ table }: Held, held: readonly Address[]): readonly Address[] {
  const living = held.filter((address) => table.rows.get(address)?.placement.kind !== "unplaced");
  if (living.length > 0) return living;
  const families = Map.groupBy(held, familyOf).values();
  return [...families].flatMap((family) => bestOf({ table }, family) ?? []);
}
