// Leases: who holds which address. The stored row is the address, so that no address can be in
// two rows; a claim's lease is the rows that name it as owner.

import type { Address } from "./address.ts";
import type { Protocol } from "./claim.ts";
import type { LaneId } from "./lane.ts";
import type { AgentName, ClaimId, DeviceName, PoolName } from "./name.ts";

/** A claim that holds an address, with the ports it has there. */
export interface LeaseOwner {
  readonly claim: ClaimId;
  /** The owner's uid: the lease ends with it, whoever carries the name next. */
  readonly uid: string;
  readonly ports: readonly { readonly protocol: Protocol; readonly port: number }[];
  /** Since when, epoch ms. Absent: for as long as the address is held at all. */
  readonly sinceMs?: number;
}

/** Where an address is held. `unplaced` until an agent that may hold it is known. */
export type Placement =
  | { readonly kind: "unplaced" }
  | { readonly kind: "lane"; readonly lane: LaneId }
  /** Modes host and link: one agent, one device. */
  | { readonly kind: "host"; readonly agent: AgentName; readonly link: DeviceName };

/**
 * `held`: owned by at least one claim. `draining`: no owner any more, and an agent that was sent
 * it has not yet reported not holding it. `quarantined`: resting until it may be given again.
 */
export type LeaseState =
  | { readonly kind: "held" }
  | { readonly kind: "draining"; readonly sinceMs: number }
  /** `untilMs` is epoch ms. */
  | { readonly kind: "quarantined"; readonly untilMs: number };

/** One address that is not free. Times are epoch ms. */
export interface LeasedAddress {
  readonly address: Address;
  readonly pool: PoolName;
  /** Sorted by claim; empty when draining or quarantined. */
  readonly owners: readonly LeaseOwner[];
  /** Key under which owners share it; absent: one owner only. */
  readonly sharingKey?: string;
  /** The claim that held it last: it gets the address back while it is quarantined. */
  readonly lastClaim: ClaimId;
  readonly placement: Placement;
  /** Every agent that was ever sent it and has not reported not holding it since. Sorted. */
  readonly sentTo: readonly AgentName[];
  readonly state: LeaseState;
  /** Whether SERVING was proved once, so that the address stands in the owner's status. */
  readonly published: boolean;
  /** Since when it is held by anybody, whoever joined or left meanwhile. */
  readonly sinceMs: number;
}
