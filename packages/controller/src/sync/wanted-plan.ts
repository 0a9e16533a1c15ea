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

/** Hashes the plan of one agent. */
export function wantedPlan(
  plan: NodePlan,
  context: {
    readonly epoch: number;
    readonly unconfirmed: ReadonlySet<Address>;
    readonly revisions: Revisions;
  },
): WantedPlan {
  const { epoch, unconfirmed, revisions } = context;
  const resources = new Map<ResourceName, WantedResource>();
  for (const [name, resource] of plan.resources) {
    const revision = revisions.revisionOf(resource);
    resources.set(name, { resource, revision, bytes: revisions.sizeOf(resource) });
  }
  const revision = revisions.planRevisionOf(
    Array.from(resources, ([name, wanted]) => [name, wanted.revision]),
  );
  return { epoch, resources, revision, retained: new Set(plan.retained), unconfirmed };
}

/** The address of a VIP's name; undefined for all other resources. */
export function vipAddress(name: ResourceName): Address | undefined {
  return name.startsWith("vip/") ? addressOfResource(name) : undefined;
}
