// What the controller says of a claim. Every claim has exactly one verdict in every plan.

import type { Address } from "./address.ts";
import type { AgentName, ClaimId } from "./name.ts";
import type { Reason, Remark } from "./reason.ts";

/** `ready`: proved to serve. `pending`: will serve when something happens. `refused`: will not. */
export type VerdictState = "ready" | "pending" | "refused";

/** Conditions in the manner of Kubernetes. */
export interface Condition {
  readonly type: "AddressAllocated" | "Serving" | "MembersReady";
  readonly status: "True" | "False" | "Unknown";
  /** A reason of ours, or the type's own word when all is well. */
  readonly reason: Reason | "Allocated" | "Proved" | "Ready";
  readonly message: string;
}

/** One address of a claim as people see it. */
export interface VerdictAddress {
  readonly address: Address;
  /** Whether it stands in the owner's status. */
  readonly published: boolean;
  /** Who proves to hold it. */
  readonly holder?: AgentName;
}

/** What the controller says of a claim. */
export interface Verdict {
  readonly claim: ClaimId;
  readonly uid: string;
  readonly generation: number;
  readonly state: VerdictState;
  /** Why it is pending or refused; for a ready one, what is in doubt. Absent: nothing to say. */
  readonly main?: Remark;
  readonly addresses: readonly VerdictAddress[];
  /** AddressAllocated, Serving, MembersReady, in this order. */
  readonly conditions: readonly Condition[];
  /** Everything else worth saying; serving goes on. */
  readonly remarks: readonly Remark[];
}
