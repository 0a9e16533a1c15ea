// What an agent shall have, given what it has: the wanted plan, without what the agent refused, and
// with what must stay. Pure.

import {
  type Address,
  addressOfResource,
  type Remark,
  type ResourceName,
  type Revision,
} from "@fairlead/model";
import { type Inventory, unconfirmedRemovalsMax } from "@fairlead/wire";

import { vipAddress, type WantedPlan } from "./wanted-plan.ts";

/** A content that an agent did not take. */
export interface Refusal {
  readonly revision: Revision;
  readonly remark: Remark;
  /** What it refers to and was missing then: with that in place it is offered again. */
  readonly needs?: ResourceName;
}

/** The names and revisions that an agent shall end with. */
export interface Target {
  readonly entries: Inventory;
  /** VIPs that nobody confirmed to go, kept because too many would go at once. */
  readonly withheld: ReadonlySet<Address>;
}

/** Works out the target. Everything of `has` that is neither wanted nor kept shall go. */
export function targetOf(
  wanted: WantedPlan,
  has: Inventory,
  refused: ReadonlyMap<ResourceName, Refusal>,
): Target {
  const entries = new Map<ResourceName, Revision>();
  let keepsLanes = false;
  for (const [name, { revision }] of wanted.resources) {
    const refusal = refused.get(name);
    const isRefused =
      refusal?.revision === revision &&
      (refusal?.needs === undefined || !entries.has(refusal.needs));
    // A refused content is not offered again; what the agent had under the name stays instead.
    const entry = isRefused ? has.get(name) : revision;
    if (entry === undefined) continue;
    entries.set(name, entry);
    keepsLanes ||= isRefused && vipAddress(name) !== undefined;
  }
  const withheld = withheldVips(wanted, has);
  const staying = new Set([...wanted.retained, ...withheld]);
  for (const [name, revision] of staying.size === 0 ? [] : has) {
    const address = addressOfResource(name);
    if (address === undefined || !staying.has(address) || entries.has(name)) continue;
    entries.set(name, revision);
    keepsLanes ||= vipAddress(name) !== undefined;
  }
  // Names do not say which lane a VIP rides in, and one without its lane would dangle.
  if (keepsLanes) keepLanes(has, entries);
  return { entries, withheld };
}

/** Every VIP that goes without confirmation, when they are more than an agent would let go. */
function withheldVips(wanted: WantedPlan, has: Inventory): ReadonlySet<Address> {
  const going = new Set<Address>();
  if (wanted.unconfirmed.size === 0) return going;
  let vipCount = 0;
  for (const name of has.keys()) {
    const address = vipAddress(name);
    if (address === undefined) continue;
    vipCount += 1;
    const isGoing = !wanted.resources.has(name) && !wanted.retained.has(address);
    if (isGoing && wanted.unconfirmed.has(address)) going.add(address);
  }
  return going.size > unconfirmedRemovalsMax(vipCount) ? going : new Set();
}

function keepLanes(has: Inventory, entries: Map<ResourceName, Revision>): void {
  for (const [name, revision] of has) {
    if (name.startsWith("lane/") && !entries.has(name)) entries.set(name, revision);
  }
}
