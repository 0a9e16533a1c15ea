// Operators' acts: what is asked of the loop by people and not by the world, and what comes of it.
// Types only. An act is done by planning, in a cycle like any other, or not at all.

import type { Address, AgentName, ClaimId, Intent, LeasedAddress } from "@fairlead/model";

/** What an operator asks for. */
export type Act =
  /** An address that drains or rests is free. */
  | { readonly kind: "release"; readonly address: Address }
  /** The operator's word that an agent is powered off and holds nothing. */
  | { readonly kind: "forget"; readonly agent: AgentName }
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
  | { readonly kind: "done"; readonly will: readonly string[]; readonly did: readonly string[] }
  | {
      readonly kind: "refused" | "not-found" | "failed";
      readonly why: readonly string[];
      /** What to do about it. */
      readonly remedy: string;
    };

/** An act that may be done: what it adds to the world of one planning. */
export interface AllowedAct {
  readonly kind: "allowed";
  /** What it will do, and what it has done when it is durable: a sentence each. */
  readonly will: readonly string[];
  readonly did: readonly string[];
  /** Intents of this planning alone: it does at once what they ask for. */
  readonly intents: readonly Intent[];
  /** Rows that stand in the store from here on. */
  readonly leases: readonly LeasedAddress[];
  /** An agent that nobody waits for any more. */
  readonly forgets?: AgentName;
  /** Claims that own imported rows. */
  readonly owners: readonly ClaimId[];
}

/** Why an act is not done. */
export type DeniedAct = Exclude<ActResult, { kind: "done" }>;
