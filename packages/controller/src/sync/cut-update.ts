// The difference between what an agent has and what it shall have, as one update of bounded size.
// Pure. What does not fit follows as the next update, and each step of the way is a plan that holds
// together: targets of references are added before and removed after what refers to them.

import {
  addressOfResource,
  changedKeys,
  patchMap,
  type ResourceName,
  type Revision,
} from "@fairlead/model";
import type { Inventory, RevisedResource } from "@fairlead/wire";

import { vipAddress, type WantedPlan } from "./wanted-plan.ts";

/** A difference, and what the agent has after it. */
export interface Cut {
  readonly upserts: readonly RevisedResource[];
  readonly tombstones: readonly ResourceName[];
  readonly result: Inventory;
  /** Whether every VIP among the tombstones was seen to go. */
  readonly confirmed: boolean;
}

/** Order in which kinds are added; they are removed the other way round. */
const KINDS: readonly string[] = ["lane", "members", "listener", "vip"];

/** Tag, length and revision around a resource, and room for a longer length. */
const BYTES_PER_RESOURCE = 32;
const BYTES_PER_TOMBSTONE = 4;

/** Cuts the next update towards `target`; undefined when the agent has it. */
export function cutUpdate(
  wanted: WantedPlan,
  sides: { readonly has: Inventory; readonly target: Inventory },
  bytesMax: number,
): Cut | undefined {
  const { has, target } = sides;
  const differing = changedKeys(has, target);
  if (differing.length === 0) return undefined;
  const changed = inKindOrder(differing.filter((name) => target.has(name)));
  const gone = inKindOrder(differing.filter((name) => !target.has(name))).toReversed();
  const changes = new Map<ResourceName, Revision | undefined>();
  const upserts: RevisedResource[] = [];
  const tombstones: ResourceName[] = [];
  let bytes = 0;
  const fits = (more: number): boolean => {
    bytes += more;
    return bytes <= bytesMax || upserts.length + tombstones.length === 0;
  };
  let isFull = false;
  for (const name of changed) {
    const entry = wanted.resources.get(name);
    if (entry === undefined) continue;
    isFull = !fits(entry.bytes + BYTES_PER_RESOURCE);
    if (isFull) break;
    upserts.push({ resource: entry.resource, revision: entry.revision });
    changes.set(name, entry.revision);
  }
  for (const name of isFull ? [] : gone) {
    // A VIP that the agent does not take in its new lane stays in the old one, which must be there.
    if (upserts.length > 0 && name.startsWith("lane/")) break;
    if (!fits(name.length + BYTES_PER_TOMBSTONE)) break;
    tombstones.push(name);
    changes.set(name, undefined);
  }
  const confirmed = tombstones.every((name) => isConfirmed(wanted, name));
  // The last update of several leaves the agent with the target itself.
  const isLast = changes.size === differing.length;
  return { upserts, tombstones, result: isLast ? target : patchMap(has, changes), confirmed };
}

function isConfirmed(wanted: WantedPlan, name: ResourceName): boolean {
  const address = vipAddress(name) && addressOfResource(name);
  return address === undefined || !wanted.unconfirmed.has(address);
}

function inKindOrder(names: readonly ResourceName[]): readonly ResourceName[] {
  const rank = (name: ResourceName): number => KINDS.indexOf(name.slice(0, name.indexOf("/")));
  return names.toSorted((a, b) => rank(a) - rank(b));
}
