// The plan that one agent shall have, hashed, as the outbox compares it. Given the planner's node
// plan and the leases. Pure.

import {
  type Address,
  type AgentName,
  addressOfResource,
  type LeasedAddress,
  type NodePlan,
  type Resource,
  type ResourceName,
  type Revision,
} from "@fairlead/model";
import type { Revisions } from "@fairlead/wire";

/** A resource with its hash and the bytes that it costs to send. */
export interface WantedResource {
  readonly resource: Resource;
  readonly revision: Revision;
  readonly bytes: number;
}

/** What one agent shall have. */
export interface WantedPlan {
  readonly epoch: number;
  /** What others refer to (lanes, members) comes before what refers to it. */
  readonly resources: ReadonlyMap<ResourceName, WantedResource>;
  /** Revision of `resources` alone, without what is retained. */
  readonly revision: Revision;
  /** Addresses for which the agent keeps what it has. */
  readonly retained: ReadonlySet<Address>;
  /** Addresses whose VIP may not go without somebody's word; see `unconfirmedAddresses`. */
  readonly unconfirmed: ReadonlySet<Address>;
}

/** Everything that is delivered at once. */
export interface Delivery {
  readonly epoch: number;
  readonly plans: ReadonlyMap<AgentName, NodePlan>;
  readonly leases: ReadonlyMap<Address, LeasedAddress>;
}

/**
 * Addresses that a claim holds by its lease and that stand in no agent's plan: a VIP that goes for
 * such an address is a removal that nobody confirmed. One that goes because its claim ended has no
 * held lease any more, and one that moved stands in another agent's plan.
 */
export function unconfirmedAddresses(delivery: Delivery): ReadonlySet<Address> {
  const planned = new Set<Address>();
  for (const plan of delivery.plans.values()) {
    for (const resource of plan.resources.values()) {
      if (resource.kind === "vip") planned.add(resource.address);
    }
  }
  const unconfirmed = new Set<Address>();
  for (const [address, lease] of delivery.leases) {
    if (lease.state.kind === "held" && !planned.has(address)) unconfirmed.add(address);
  }
  return unconfirmed;
}

/**
 * Hashes the plan of one agent. A plan of the very same resources as the one before shares its
 * `resources`, and the same plan altogether is that object: most cycles change few agents' plans.
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
  if (previous !== undefined && hasSameResources(plan, previous)) {
    const isSame =
      epoch === previous.epoch &&
      isSameSet(retained, previous.retained) &&
      isSameSet(unconfirmed, previous.unconfirmed);
    return isSame ? previous : { ...previous, epoch, retained, unconfirmed };
  }
  const resources = new Map<ResourceName, WantedResource>();
  for (const isReference of [true, false]) {
    for (const [name, resource] of plan.resources) {
      if ((resource.kind === "lane" || resource.kind === "members") !== isReference) continue;
      const before = previous?.resources.get(name);
      resources.set(name, before?.resource === resource ? before : hashed(resource, revisions));
    }
  }
  const revision = revisions.planRevisionOf(
    Array.from(resources, ([name, wanted]) => [name, wanted.revision]),
  );
  return { epoch, resources, revision, retained, unconfirmed };
}

function hashed(resource: Resource, { revisionOf, sizeOf }: Revisions): WantedResource {
  return { resource, revision: revisionOf(resource), bytes: sizeOf(resource) };
}

/** By identity: the planner hands an unchanged resource over as the object that it was. */
function hasSameResources(plan: NodePlan, previous: WantedPlan): boolean {
  if (plan.resources.size !== previous.resources.size) return false;
  for (const [name, resource] of plan.resources) {
    if (previous.resources.get(name)?.resource !== resource) return false;
  }
  return true;
}

function isSameSet<T>(a: ReadonlySet<T>, b: ReadonlySet<T>): boolean {
  return a === b || (a.size === b.size && [...a].every((one) => b.has(one)));
}

/** The address of a VIP's name; undefined for all other resources. */
export function vipAddress(name: ResourceName): Address | undefined {
  return name.startsWith("vip/") ? addressOfResource(name) : undefined;
}
