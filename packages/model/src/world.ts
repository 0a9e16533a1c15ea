// The frozen input of planning and its result. Given by the controller's fold of facts; planning
// reads nothing else: no clock, no I/O.

import type { Address } from "./address.ts";
import type { Claim } from "./claim.ts";
import type { Intent } from "./intent.ts";
import type { Lane, LaneId } from "./lane.ts";
import type { LeasedAddress } from "./lease.ts";
import type { AgentName, ClaimId } from "./name.ts";
import type { NodePlan, ResourceName } from "./node-plan.ts";
import type { AddressPool } from "./pool.ts";
import type { IpamSights } from "./registration.ts";
import type { Finding } from "./reason.ts";
import type { AgentHello, AgentReport } from "./report.ts";
import type { Verdict } from "./verdict.ts";

/** A host that is no agent's, and answered for an address that was to be held. */
export interface Stranger {
  readonly mac: string;
  /** Epoch ms when an agent last said so. */
  readonly heardAtMs: number;
}

/** An agent as the controller knows it. */
export interface AgentView {
  readonly name: AgentName;
  /** Whether its stream is open now. */
  readonly connected: boolean;
  /**
   * Epoch ms of its last message by which what it proved is still so: that it came back is none,
   * before it reports again.
   */
  readonly heardAtMs: number;
  /** Epoch ms when the stream closed; absent while connected. */
  readonly disconnectedAtMs?: number;
  /**
   * Its last word was that an operator withdraws it: nothing of it is left on its host before it is
   * started again. Absent while connected.
   */
  readonly withdrawn?: true;
  readonly hello: AgentHello;
  /** Its last report; absent before the first of this controller's life. */
  readonly report?: AgentReport;
  /**
   * When each address it reports holding was first reported so, epoch ms by the controller's
   * clock: of two agents that claim one address, a connected one and then the later one is right.
   */
  readonly heldSinceMs: ReadonlyMap<Address, number>;
  /** When it was first reported not to hold any more what it held; of the last minute alone. */
  readonly lostAtMs?: ReadonlyMap<Address, number>;
  /** Since when it says what it sees of an address that another one holds, epoch ms. */
  readonly seenSinceMs?: ReadonlyMap<Address, number>;
  /** Since when it says that it does not hear a lane's holder, epoch ms. */
  readonly unheardSinceMs?: ReadonlyMap<ResourceName, number>;
  /** Since when it says that it has a lane as that is now, whether it runs it or not, epoch ms. */
  readonly laneSinceMs?: ReadonlyMap<ResourceName, number>;
  /** Who answered when it asked for an address: as it says now, or said within a minute. */
  readonly strangers?: ReadonlyMap<Address, Stranger>;
}

/** Settings that planning needs. */
export interface PlanSettings {
  /** 30 to 10 000 ms; 100 by default. */
  readonly advertIntervalMs: number;
  /** Router ids never used, per operator's word. */
  readonly reservedRouterIds: readonly number[];
  /** After this long without its stream an agent's proof is `Unknown`: 60 000 ms. */
  readonly staleAfterMs: number;
  /**
   * Whether claims share by port the first address of an agent's primary device while there is no
   * pool at all. Default false.
   */
  readonly sharesOwnAddress?: boolean;
  /**
   * A text that no other controller ever has, nor this one after a restart: the uuids of new
   * registrations are made of it. Default: an empty one, for where no pool is external.
   */
  readonly registrationSeed?: string;
}

/** The frozen input of planning. */
export interface World {
  /** Wall clock, epoch ms. */
  readonly nowMs: number;
  readonly settings: PlanSettings;
  readonly claims: ReadonlyMap<ClaimId, Claim>;
  /**
   * Claims that the store knows and no source shows, but that are not known to be gone: their
   * leases and whatever agents have for them stay.
   */
  readonly absent: ReadonlySet<ClaimId>;
  readonly pools: readonly AddressPool[];
  readonly agents: ReadonlyMap<AgentName, AgentView>;
  readonly leases: ReadonlyMap<Address, LeasedAddress>;
  readonly lanes: ReadonlyMap<LaneId, Lane>;
  readonly intents: readonly Intent[];
  /**
   * Addresses of nodes and of API servers, which no VIP may get, each with whose it is as words
   * that follow it: `is an address of node n1`. One that is held stays. Absent: none is known.
   */
  readonly barred?: ReadonlyMap<Address, string>;
  /** What is seen of IPAMs that pools take addresses from; absent: nothing. */
  readonly ipam?: IpamSights;
  /**
   * Since when agents could come to this controller, epoch ms: one that the store knows and that
   * did not come yet may be well. Absent: for so long that it is not.
   */
  readonly heardSinceMs?: number;
}

/** The result of planning: what shall be stored, sent and said. */
export interface Plan {
  readonly leases: ReadonlyMap<Address, LeasedAddress>;
  readonly lanes: ReadonlyMap<LaneId, Lane>;
  /** Intents of the world that are not done yet, and the next move of a rebalance. */
  readonly intents: readonly Intent[];
  /** One for every known agent, also when it is empty. */
  readonly nodePlans: ReadonlyMap<AgentName, NodePlan>;
  /** One for every claim of the world. */
  readonly verdicts: ReadonlyMap<ClaimId, Verdict>;
  /** What planning found wrong with pools, agents and addresses. */
  readonly findings: readonly Finding[];
}
