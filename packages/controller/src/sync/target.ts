// What an agent shall have, given what it has: the wanted plan, without what the agent refused, and
// with what must stay. Pure.

import {
  type Address,
  addressOfResource,
  patchMap,
  type Remark,
  type ResourceName,
  type Revision,
  vipName,
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
  const changes = new Map<ResourceName, Revision | undefined>();
  let keepsLanes = false;
  for (const name of refused.keys()) {
    if (!isRefused(wanted, has, refused, name)) continue;
    // A refused content is not offered again; what the agent had under the name stays instead.
    const entry = has.get(name);
    changes.set(name, entry);
    keepsLanes ||= entry !== undefined && vipAddress(name) !== undefined;
  }
  const withheld = withheldVips(wanted, has);
  const staying = new Set([...wanted.retained, ...withheld]);
  for (const [name, revision] of staying.size === 0 ? [] : has) {
    const address = addressOfResource(name);
    if (address === undefined || !staying.has(address)) continue;
    if (changes.get(name) !== undefined || isOffered(wanted, changes, name)) continue;
    changes.set(name, revision);
    keepsLanes ||= vipAddress(name) !== undefined;
  }
  // Names do not say which lane a VIP rides in, and one without its lane would dangle.
  if (keepsLanes) keepLanes(wanted, has, changes);
  return { entries: patchMap(wanted.entries, changes), withheld };
}

function isOffered(
  { entries }: WantedPlan,
  changes: ReadonlyMap<ResourceName, unknown>,
  name: ResourceName,
): boolean {
  return entries.has(name) && !changes.has(name);
}

/** Whether the wanted content is one that was refused, and nothing was amiss that is there now. */
function isRefused(
  wanted: WantedPlan,
  has: Inventory,
  refused: ReadonlyMap<ResourceName, Refusal>,
  name: ResourceName,
): boolean {
  const revision = wanted.entries.get(name);
  const refusal = refused.get(name);
  if (revision === undefined || refusal?.revision !== revision) return false;
  const { needs } = refusal;
  // What others refer to refers to nothing itself.
  if (needs === undefined || !wanted.entries.has(needs)) return true;
  return isRefused(wanted, has, refused, needs) && !has.has(needs);
}

/** Every VIP that goes without confirmation, when they are more than an agent would let go. */
function withheldVips(wanted: WantedPlan, has: Inventory): ReadonlySet<Address> {
  const going = new Set<Address>();
  for (const address of wanted.unconfirmed) {
    const name = vipName(address);
    const isGoing = !wanted.entries.has(name) && !wanted.retained.has(address);
    if (isGoing && has.has(name)) going.add(address);
  }
  if (going.size <= unconfirmedRemovalsMax(0)) return NOTHING;
  let vipCount = 0;
  for (const name of has.keys()) if (vipAddress(name) !== undefined) vipCount += 1;
  return going.size > unconfirmedRemovalsMax(vipCount) ? going : NOTHING;
}

const NOTHING: ReadonlySet<Address> = new Set();

function keepLanes(
  wanted: WantedPlan,
  has: Inventory,
  changes: Map<ResourceName, Revision | undefined>,
): void {
  for (const [name, revision] of has) {
    if (!name.startsWith("lane/") || changes.get(name) !== undefined) continue;
    if (!isOffered(wanted, changes, name)) changes.set(name, revision);
  }
}
