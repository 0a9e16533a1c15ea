// Allotting inside one class by the planner, and what of it is to be stored.

import { changedKeys } from "@fairlead/model";
import { type Allotment, allot } from "@fairlead/planner";

import type { IpamChange } from "./ipam-model.ts";
import type { ClassState, IpamContext } from "./ipam-state.ts";

/** Gives and takes addresses until the class's claims have what they shall. */
export function allotIn(world: ClassState, { nowMs, memoryOf }: IpamContext): Allotment {
  const { class: one, claims, pools, leases } = world;
  return allot({ nowMs, claims, pools, leases }, memoryOf(one.uuid));
}

/** The rows that differ from those of the class before. */
export function addressChanges(
  before: ClassState,
  leases: ClassState["leases"],
): readonly IpamChange[] {
  const { uuid } = before.class;
  return changedKeys(before.leases, leases).map((address): IpamChange => {
    const lease = leases.get(address);
    if (lease === undefined) return { kind: "delete-address", class: uuid, address };
    return { kind: "put-address", class: uuid, lease };
  });
}
