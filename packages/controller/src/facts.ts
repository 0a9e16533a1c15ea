// Facts: everything the controller observes, from sources, agents and the store. They are the
// only input of the loop; nothing else changes its state.

import type {
  Address,
  AddressPool,
  AgentHello,
  AgentName,
  AgentReport,
  Claim,
  ClaimId,
  Finding,
  FindingSubject,
  IpamSights,
  PoolName,
} from "@fairlead/model";

/**
 * How something went: `seen-deleted` acts at once; `absent` means that a list lacked it, and
 * counts as gone only when a second whole list at least 30 s later agrees.
 */
export type Departure = "seen-deleted" | "absent";

/**
 * One observation, or what became of an operator's act. `source` is the name of the source that
 * made it.
 */
export type Fact =
  | { readonly kind: "claim-seen"; readonly source: string; readonly claim: Claim }
  | {
      readonly kind: "claim-gone";
      readonly source: string;
      readonly id: ClaimId;
      readonly uid: string;
      readonly how: Departure;
    }
  | { readonly kind: "pool-seen"; readonly source: string; readonly pool: AddressPool }
  | {
      readonly kind: "pool-gone";
      readonly source: string;
      readonly name: PoolName;
      readonly how: Departure;
    }
  | { readonly kind: "finding"; readonly source: string; readonly finding: Finding }
  | {
      readonly kind: "finding-cleared";
      readonly source: string;
      readonly subject: FindingSubject;
      readonly name: string;
    }
  /** A whole list was completed: what is not in it is absent. Time is epoch ms. */
  | {
      readonly kind: "source-listed";
      readonly source: string;
      readonly atMs: number;
      readonly claims: ReadonlySet<ClaimId>;
      readonly pools: ReadonlySet<PoolName>;
    }
  | { readonly kind: "agent-hello"; readonly atMs: number; readonly hello: AgentHello }
  | {
      readonly kind: "agent-report";
      readonly atMs: number;
      readonly report: AgentReport;
      /** The first since the agent took what it has: what it does not name is gone only now. */
      readonly isFirst?: boolean;
    }
  /** The agent said that it lives, and that what it proved is still so. */
  | { readonly kind: "agent-heard"; readonly atMs: number; readonly agent: AgentName }
  /** The agent's stream ended. */
  | {
      readonly kind: "agent-gone";
      readonly atMs: number;
      readonly agent: AgentName;
      /** It said as its last word that an operator withdraws it. */
      readonly withdrawn?: true;
    }
  /** An operator's word that the agent is powered off became durable. */
  | { readonly kind: "agent-forgotten"; readonly agent: AgentName }
  /** The store has leases of these claims now, whether a source shows them or not. */
  | { readonly kind: "leases-imported"; readonly owners: readonly ClaimId[] }
  /** All addresses that this source bars for VIPs now, each with whose it is, as of a world. */
  | {
      readonly kind: "addresses-barred";
      readonly source: string;
      readonly barred: ReadonlyMap<Address, string>;
    }
  /** All that is seen of IPAMs that external pools take addresses from. */
  | { readonly kind: "ipam-seen"; readonly sights: IpamSights };
