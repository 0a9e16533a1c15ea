// Lanes in the words of acts: what rides in one, and what it means that one moves. Pure.

import { type Address, type LaneId, type World, compareAddress } from "@fairlead/model";

import type { PlannedMove } from "./act.ts";

/** Addresses of one lane that are named; a longer list helps nobody. */
const ADDRESSES_NAMED = 4;

/** What ends with a move is said before it is made. */
export const WHAT_ENDS =
  "connections through a proxy end when their address moves; clients that connect anew are served";

/** Addresses by the lane that they ride in, each list sorted. */
export function addressesByLane({ leases }: World): ReadonlyMap<LaneId, readonly Address[]> {
  const byLane = new Map<LaneId, Address[]>();
  for (const { address, placement } of leases.values()) {
    if (placement.kind !== "lane") continue;
    const known = byLane.get(placement.lane);
    if (known === undefined) byLane.set(placement.lane, [address]);
    else known.push(address);
  }
  for (const addresses of byLane.values()) addresses.sort(compareAddress);
  return byLane;
}

/** `192.0.2.10, 192.0.2.11 and 7 more`. */
export function addressesText(addresses: readonly Address[]): string {
  const named = addresses.slice(0, ADDRESSES_NAMED).join(", ");
  const rest = addresses.length - ADDRESSES_NAMED;
  return rest > 0 ? `${named} and ${rest} more` : named;
}

/** `lane 10.77.0.0/24#1 goes from lb1 to lb2 with 10.77.0.100`. */
export function moveText({ lane, from, to, addresses }: PlannedMove): string {
  return `lane ${lane} goes from ${from} to ${to} with ${addressesText(addresses)}`;
}

/** `1 address`, `3 addresses`. */
export function countText(count: number): string {
  return count === 1 ? "1 address" : `${count} addresses`;
}
