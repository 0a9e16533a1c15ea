// What somebody is told who got no address: the planner's reason in the words of the service, with
// whoever holds the address, or how full the class is. Pure.

import {
  type Address,
  type Family,
  type Reason,
  type Remark,
  rangeSize,
  rangeText,
} from "@fairlead/model";

import { holderOf, holderText, refuse } from "./answers.ts";
import type { IpamReason, Refusal } from "./ipam-refusal.ts";
import type { ClassState, IpamState } from "./ipam-state.ts";
import { countHeld } from "./netblock-use.ts";

/** Netblocks that one sentence counts at most. */
const NETBLOCKS_TOLD_MAX = 5;

/** Reasons of the planner in our words; every other one is of the address that is wished for. */
const REASONS: ReadonlyMap<Reason, IpamReason> = new Map([
  ["AddressTaken", "AddressTaken"],
  ["AddressOutsidePools", "AddressOutsideClass"],
  ["PoolExhausted", "ClassExhausted"],
  ["NoPool", "NoNetblock"],
  ["FamilyUnavailable", "FamilyUnavailable"],
]);

/** The refusal of a registration that got nothing. */
export function tellRefusal(
  state: IpamState,
  world: ClassState,
  wish: { readonly address?: Address; readonly family?: Family },
  { reason: planned, detail }: Remark,
): Refusal {
  const { name } = world.class;
  const reason = REASONS.get(planned) ?? "AddressUnusable";
  switch (reason) {
    case "AddressTaken": {
      const row = wish.address === undefined ? undefined : world.leases.get(wish.address);
      const holder = row === undefined ? undefined : holderOf(state, row);
      const since = row === undefined ? "" : ` since ${new Date(row.sinceMs).toISOString()}`;
      return refuse(reason, `${holderText(holder)}${since}`, holder);
    }
    case "AddressOutsideClass":
      return refuse(reason, `${wish.address ?? "it"} is in no netblock of class ${name}`);
    case "ClassExhausted":
      return refuse(
        reason,
        `no ${wish.family ?? "address"} is free in class ${name}: ${counts(world, wish.family)}`,
      );
    case "NoNetblock":
      return refuse(reason, `class ${name} has no netblock`);
    case "FamilyUnavailable":
      return refuse(reason, `class ${name} has no ${wish.family ?? "such"} netblock`);
    default:
      return refuse(reason, detail);
  }
}

/** `192.0.2.1-192.0.2.9 (9 of 9 held)` for each netblock of the family. */
function counts(world: ClassState, family: Family | undefined): string {
  const blocks = world.netblocks.filter(
    ({ range }) => family === undefined || range.family === family,
  );
  const held = countHeld(world);
  const told = blocks.slice(0, NETBLOCKS_TOLD_MAX).map(({ uuid, range }) => {
    return `${rangeText(range)} (${held.get(uuid) ?? 0} of ${rangeSize(range)} held)`;
  });
  const more = blocks.length - told.length;
  return `${told.join(", ")}${more > 0 ? `, and ${more} more` : ""}`;
}
