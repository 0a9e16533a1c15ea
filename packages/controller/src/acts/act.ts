// Operators' acts: what is asked of the loop by people and not by the world, and what comes of it.
// Types only. An act is done by planning, in a cycle like any other, or not at all.

import type { Address, AgentName, ClaimId, Intent, LaneId, LeasedAddress } from "@fairlead/model";

/** What an operator asks for. */
export type Act =
  /** An address that drains or is quarantined is free. */
  | { readonly kind: "release"; readonly address: Address }
  /** The operator's word that an agent is powered off and holds nothing. */
  | { readonly kind: "forget"; readonly agent: AgentName }
  /** Others are to hold what the agent holds, as far as they can, until it is uncordoned. */
  | { readonly kind: "drain"; readonly agent: AgentName; readonly isDryRun: boolean }
  /** The agent may hold lanes again. */
  | { readonly kind: "uncordon"; readonly agent: AgentName }
  /** The lane of the address is to be held by this agent. */
  | {
      readonly kind: "move";
      readonly address: Address;
      readonly to: AgentName;
      readonly isDryRun: boolean;
    }
  /** Agents are to hold alike. */
  | { readonly kind: "rebalance"; readonly isDryRun: boolean }
  /** Nothing moves by our will; or it does again. */
  | { readonly kind: "freeze" | "thaw" }
  /** Leases of an export are to be here; what differs from them in the store is a problem. */
  | {
      readonly kind: "import";
      readonly leases: readonly LeasedAddress[];
      /** Nothing is changed; it is said what would be. */
      readonly isDryRun: boolean;
    };

/**
 * What came of an act. `refused`: nothing was changed, and here is why. `not-found`: there is
 * nothing of that name. `failed`: it is right, and the store could not be written.
 */
export type ActResult =
  | {
      readonly kind: "done";
      readonly will: readonly string[];
      readonly did: readonly string[];
      /** What is to move by it. */
      readonly moves: readonly PlannedMove[];
      /** What a drained agent keeps. */
      readonly stays: readonly Staying[];
      /** What to do about what stays; empty: nothing does. */
      readonly remedy: string;
    }
  | {
      readonly kind: "refused" | "not-found" | "failed";
      readonly why: readonly string[];
      /** What to do about it. */
      readonly remedy: string;
    };

/** A lane that is to be held by another agent, with all that rides in it. */
export interface PlannedMove {
  readonly lane: LaneId;
  readonly from: AgentName;
  readonly to: AgentName;
  /** Sorted. */
  readonly addresses: readonly Address[];
}

/** Addresses that stay with an agent that is drained. */
export interface Staying {
  /** The lane that they ride in; absent: they are the agent's own and never move. */
  readonly lane?: LaneId;
  /** Sorted. */
  readonly addresses: readonly Address[];
  /** In words, lower case. */
  readonly why: string;
}

/** An act that may be done: what it adds to the world of one planning. */
export interface AllowedAct {
  readonly kind: "allowed";
  /** What it will do, and what it has done when it is durable: a sentence each. */
  readonly will: readonly string[];
  readonly did: readonly string[];
  /** Intents that the world has from here on: those that do not last are done at once. */
  readonly intents: readonly Intent[];
  /** Ids of intents that the world has no more. Absent: none. */
  readonly ends?: readonly string[];
  /** As in the result; absent: nothing. */
  readonly moves?: readonly PlannedMove[];
  readonly stays?: readonly Staying[];
  readonly remedy?: string;
  /** Rows that stand in the store from here on. */
  readonly leases: readonly LeasedAddress[];
  /** An agent that nobody waits for any more. */
  readonly forgets?: AgentName;
  /** Claims that own imported rows. */
  readonly owners: readonly ClaimId[];
}

/** Why an act is not done. */
export type DeniedAct = Exclude<ActResult, { kind: "done" }>;
