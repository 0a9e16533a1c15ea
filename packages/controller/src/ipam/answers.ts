// What commands answer with, and how a holder reads in it.

import type { LeasedAddress } from "@fairlead/model";

import { quote } from "../sources/quote.ts";
import { uuidOf } from "./ipam-claim.ts";
import type { Holder, IpamReason, Refusal } from "./ipam-refusal.ts";
import type { IpamState, Outcome } from "./ipam-state.ts";

/** Makes a refusal. */
export function refuse(reason: IpamReason, why: string, holder?: Holder): Refusal {
  return { kind: "refused", reason, why, ...(holder === undefined ? {} : { holder }) };
}

/** The refusal of a class that is not there. */
export function unknownClass(reference: string): Refusal {
  return refuse("UnknownClass", `no class has the uuid or name ${reference}`);
}

/** The outcome where everything is as it is asked for. */
export function unchanged<T>(state: IpamState, value: T): Outcome<T> {
  return { kind: "done", state, changes: [], value, isNew: false };
}

/** Who holds the address; undefined when nobody does. */
export function holderOf(state: IpamState, row: LeasedAddress): Holder | undefined {
  const [owner] = row.owners;
  const uuid = owner === undefined ? undefined : uuidOf(owner.claim);
  if (uuid === undefined) return undefined;
  const name = state.registrations.get(uuid)?.owner;
  return { uuid, address: row.address, ...(name === undefined ? {} : { owner: name }) };
}

/** `registration UUID ("name") holds ADDRESS`. */
export function holderText(holder: Holder | undefined): string {
  if (holder === undefined) return "somebody holds an address";
  const name = holder.owner === undefined ? "" : ` (${quote(holder.owner)})`;
  return `registration ${holder.uuid}${name} holds ${holder.address ?? "an address"}`;
}
