// A node plan: everything one agent must hold, as named resources. Each resource has its own
// revision (content hash), so that only what changed travels and is acknowledged.

import type { Address } from "./address.ts";
import type { Affinity, Balance, Protocol } from "./claim.ts";
import type { LaneId, LanePeer, Segment } from "./lane.ts";
import type { Member } from "./member.ts";
import type { AgentName, ClaimId, DeviceName } from "./name.ts";

declare const revisionBrand: unique symbol;
declare const resourceBrand: unique symbol;

/** Content hash of a resource or of a whole plan: 32 lower-case hex digits. */
export type Revision = string & { readonly [revisionBrand]: true };

/**
 * A resource's name: `lane/<segment>#<id>`, `vip/<address>`, `listener/<address>/<proto>/<port>`,
 * `members/<address>/<proto>/<port>`. Made of closed types only, safe as a file's or key's name.
 */
export type ResourceName = string & { readonly [resourceBrand]: true };

/** One VRRP instance as this agent must run it. */
export interface LaneResource {
  readonly kind: "lane";
  readonly name: ResourceName;
  readonly lane: LaneId;
  readonly segment: Segment;
  readonly routerId: number;
  /** This agent's device in the segment. */
  readonly link: DeviceName;
  /**
   * 1 to 3, preferred holder first; one of them is this agent. Their addresses are of one family,
   * none twice.
   */
  readonly order: readonly LanePeer[];
  /** Who holds it by the last report; the order follows it. */
  readonly holder?: AgentName;
  /** Only for a new lane or a stored move: the first in order may take it from a living one. */
  readonly preempt: boolean;
  /** The move that `preempt` is for; absent for a new lane. */
  readonly intentId?: string;
  /**
   * The controller wants this agent to give the lane up: it is drained, or the loser of a double
   * holding. Absent: no.
   */
  readonly yields?: true;
  /**
   * The agent does not run it, and only says whether it hears its holder; no VIP of its plan rides
   * in it. Absent: it runs it.
   */
  readonly listens?: true;
  /** Time between adverts, 30 to 10 000 ms. */
  readonly advertIntervalMs: number;
}

/** One address to hold. */
export interface VipResource {
  readonly kind: "vip";
  readonly name: ResourceName;
  readonly address: Address;
  /** 32 or 128 in a lane; the link's own length, 1 or more, in modes host and link. */
  readonly prefixLength: number;
  /** The lane it rides in, or the device it is added to by netlink. */
  readonly carrier:
    | { readonly kind: "lane"; readonly lane: LaneId; readonly resource: ResourceName }
    | {
        readonly kind: "link";
        readonly link: DeviceName;
        /** The device's own address: used while it is there, and never added or removed. */
        readonly adopts: boolean;
      };
  /** Who it is for, oldest first: for reports, never for a config file. */
  readonly claims: readonly ClaimId[];
}

/** One port of one address. Its members are another resource. */
export interface ListenerResource {
  readonly kind: "listener";
  readonly name: ResourceName;
  readonly address: Address;
  readonly protocol: Protocol;
  readonly port: number;
  readonly claim: ClaimId;
  /** Name of the member-set resource, in the same plan always. */
  readonly members: ResourceName;
  readonly balance: Balance;
  readonly affinity: Affinity;
  readonly proxyProtocol: "none" | "v1" | "v2";
  readonly acceptProxyProtocol: boolean;
  /** All three with the defaults filled in. */
  readonly connectTimeoutMs: number;
  readonly idleTimeoutMs: number;
  readonly drainTimeoutMs: number;
  /** Absent: no limit of ours. */
  readonly connectionsMax?: number;
}

/** The members of one listener. */
export interface MemberSetResource {
  readonly kind: "members";
  readonly name: ResourceName;
  /** Sorted by address and port; may be empty. */
  readonly members: readonly Member[];
}

/** Anything a plan holds. */
export type Resource = LaneResource | VipResource | ListenerResource | MemberSetResource;

/** Everything one agent must hold. */
export interface NodePlan {
  readonly agent: AgentName;
  readonly resources: ReadonlyMap<ResourceName, Resource>;
  /**
   * Leased addresses whose claim is absent but not known to be gone: whatever the agent has for
   * them stays as it is. Sorted.
   */
  readonly retained: readonly Address[];
}

/** Name of a lane's resource. */
export function laneName(lane: LaneId): ResourceName {
  return `lane/${lane}` as ResourceName;
}

/** Name of a VIP's resource. */
export function vipName(address: Address): ResourceName {
  return `vip/${address}` as ResourceName;
}

/** Name of a listener's resource. */
export function listenerName(address: Address, protocol: Protocol, port: number): ResourceName {
  return `listener/${address}/${protocol}/${port}` as ResourceName;
}

/** Name of the member set of a listener. */
export function memberSetName(address: Address, protocol: Protocol, port: number): ResourceName {
  return `members/${address}/${protocol}/${port}` as ResourceName;
}

/** Name of the listener that a member set is of. */
export function listenerOfMembers({ name }: MemberSetResource): ResourceName {
  return name.replace(/^members/, "listener") as ResourceName;
}

/** The address that a vip, listener or members resource belongs to; undefined for a lane. */
export function addressOfResource(name: ResourceName): Address | undefined {
  const [kind, address] = name.split("/");
  return kind === "lane" ? undefined : (address as Address | undefined);
}
