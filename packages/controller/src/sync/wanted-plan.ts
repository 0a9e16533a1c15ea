// The plan that one agent shall have, hashed, as the outbox compares it. Given the planner's node
// plan and the leases. Pure.

import {
  type Address,
  type AgentName,
  addressOfResource,
  changedKeys,
  type LeasedAddress,
  type NodePlan,
  patchMap,
  type Resource,
  type ResourceName,
  type Revision,
  vipName,
} from "@fairlead/model";
import type { Inventory, Revisions } from "@fairlead/wire";

/** A resource with its hash and the bytes that it costs to send. */
export interface WantedResource {
  readonly resource: Resource;
  readonly revision: Revision;
  readonly bytes: number;
}

/** What one agent shall have. */
export interface WantedPlan {
  readonly epoch: number;
  /** The planner's resources that everything else was made of. */
  readonly source: NodePlan["resources"];
  readonly resources: ReadonlyMap<ResourceName, WantedResource>;
  /** The revisions of `resources`. */
  readonly entries: Inventory;
  /** Revision of `resources` alone, without what is retained. */
  readonly revision: Revision;
  /** Addresses for which the agent keeps what it has. */
  readonly retained: ReadonlySet<Address>;
  /** Addresses whose VIP may not go without somebody's word; see `findUnconfirmed`. */
  readonly unconfirmed: ReadonlySet<Address>;
}

/** Everything that is delivered at once. */
export interface Delivery {
  readonly epoch: number;
  readonly plans: ReadonlyMap<AgentName, NodePlan>;
  readonly leases: ReadonlyMap<Address, LeasedAddress>;
}

/** What was delivered, with the addresses whose VIPs may not go unconfirmed. */
export interface Delivered {
  readonly delivery: Delivery;
  readonly unconfirmed: ReadonlySet<Address>;
}

/** Nothing delivered yet. */
export const NOTHING_DELIVERED: Delivered = {
  delivery: { epoch: 0, plans: new Map(), leases: new Map() },
  unconfirmed: new Set(),
};

/**
 * Addresses that a claim holds by its lease and that stand in no agent's plan: a VIP that goes for
 * such an address is a removal that nobody confirmed. One that goes because its claim ended has no
 * held lease any more, and one that moved stands in another agent's plan. Only addresses of which
 * something changed since `before` are looked at.
 */
export function findUnconfirmed(before: Delivered, delivery: Delivery): Delivered {
  const { plans, leases } = delivery;
  const old = before.delivery;
  const changed = new Set(changedKeys(old.leases, leases));
  for (const agent of changedKeys(old.plans, plans)) {
    const now = plans.get(agent)?.resources ?? NO_RESOURCES;
    for (const name of changedKeys(old.plans.get(agent)?.resources ?? NO_RESOURCES, now)) {
      const address = vipAddress(name);
      if (address !== undefined) changed.add(address);
    }
  }
  const unconfirmed = new Set(before.unconfirmed);
  for (const address of changed) {
    const name = vipName(address);
    const isPlanned = (): boolean => [...plans.values()].some((plan) => plan.resources.has(name));
    if (leases.get(address)?.state.kind === "held" && !isPlanned()) unconfirmed.add(address);
    else unconfirmed.delete(address);
  }
  const isSame = isSameSet(unconfirmed, before.unconfirmed);
  return { delivery, unconfirmed: isSame ? before.unconfirmed : unconfirmed };
}

const NO_RESOURCES: NodePlan["resources"] = new Map();

/**
 * Hashes the plan of one agent. Only resources that are others than in the plan before are looked
 * at, and the same plan altogether is that object: most cycles change few agents' plans.
 */
export function wantedPlan(
  plan: NodePlan,
  context: {
    readonly epoch: number;
    readonly unconfirmed: ReadonlySet<Address>;
    readonly revisions: Revisions;
  },
  previous?: WantedPlan,
): WantedPlan {
  const { epoch, unconfirmed, revisions } = context;
  const retained = new Set(plan.retained);
  const hashed = hashResources(plan.resources, revisions, previous);
  const isSame =
    hashed === previous &&
    epoch === previous.epoch &&
    isSameSet(retained, previous.retained) &&
    isSameSet(unconfirmed, previous.unconfirmed);
  return isSame ? previous : { ...hashed, epoch, retained, unconfirmed };
}

type Hashed = Pick<WantedPlan, "source" | "resources" | "entries" | "revision">;

/** By identity: the planner hands an unchanged resource over as the object that it was. */
function hashResources(
  source: NodePlan["resources"],
  { revisionOf, sizeOf, planRevisionOf }: Revisions,
  previous: WantedPlan | undefined,
): Hashed {
  const names = changedKeys(previous?.source ?? NO_RESOURCES, source);
  if (previous !== undefined && names.length === 0) return previous;
  const changes = new Map<ResourceName, WantedResource | undefined>();
  const revised = new Map<ResourceName, Revision | undefined>();
  for (const name of names) {
    const resource = source.get(name);
    const revision = resource && revisionOf(resource);
    changes.set(name, resource && revision && { resource, revision, bytes: sizeOf(resource) });
    revised.set(name, revision);
  }
  const resources = patchMap(previous?.resources ?? NO_WANTED, changes);
  const entries = patchMap(previous?.entries ?? NO_ENTRIES, revised);
  return { source, resources, entries, revision: planRevisionOf(entries) };
}

const NO_WANTED: WantedPlan["resources"] = new Map();
const NO_ENTRIES: Inventory = new Map();

function isSameSet<T>(a: ReadonlySet<T>, b: ReadonlySet<T>): boolean {
  return a === b || (a.size === b.size && [...a].every((one) => b.has(one)));
}

/** The address of a VIP's name; undefined for all other resources. */
export function vipAddress(name: ResourceName): Address | undefined {
  return name.startsWith("vip/") ? addressOfResource(name) : undefined;
}
