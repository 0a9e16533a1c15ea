// What the status of a Service shall say: the addresses that are proved, and three conditions.
// Pure. Words about what is well name no holder and no number of members: who holds an address and
// how many members there are changes all the time, and each change would be a write.

import {
  type Address,
  type Claim,
  type Condition,
  portText,
  type Remark,
  type Verdict,
} from "@fairlead/model";

import { CONDITION_PREFIX } from "../../kube/service-record.ts";
import { boundedWords, remarkWords, withRemedy } from "./remark-words.ts";

/** A condition as it shall stand in the status. */
export interface WantedCondition {
  readonly type: string;
  readonly status: Condition["status"];
  readonly reason: string;
  readonly message: string;
}

/** What a status shall say. */
export interface WantedStatus {
  /** Proved addresses, in the verdict's order. */
  readonly ingress: readonly Address[];
  /** Whether it is refused: what others wrote for it is theirs then. */
  readonly isRefused: boolean;
  readonly conditions: readonly WantedCondition[];
  /** The generation that was judged; 0: the API server counts none. */
  readonly observedGeneration: number;
}

/** The status that follows from the verdict on a claim. */
export function wantedStatus(claim: Claim, verdict: Verdict): WantedStatus {
  return {
    ingress: publishedOf(verdict),
    isRefused: verdict.state === "refused",
    conditions: verdict.conditions.map((condition) => wantedCondition(condition, claim, verdict)),
    observedGeneration: verdict.generation,
  };
}

/** Proved addresses, in the verdict's order. */
export function publishedOf({ addresses }: Verdict): readonly Address[] {
  return addresses.filter(({ published }) => published).map(({ address }) => address);
}

function wantedCondition(condition: Condition, claim: Claim, verdict: Verdict): WantedCondition {
  const { type, status, reason } = condition;
  const message = isRemark(condition)
    ? remarkedWords(condition)
    : boundedWords(goodWords(condition, claim, verdict));
  return { type: `${CONDITION_PREFIX}${type}`, status, reason, message };
}

/** What is well and yet not as it is asked for is a sentence already. */
function remarkedWords({ status, reason, message }: Condition & Pick<Remark, "reason">): string {
  return status === "True" ? withRemedy(message, reason) : remarkWords({ reason, detail: message });
}

function goodWords(condition: Condition, claim: Claim, verdict: Verdict): string {
  switch (condition.type) {
    case "AddressAllocated":
      return condition.message;
    case "Serving": {
      // One address of several may be a dead host's, and has left the status then.
      const addresses = publishedOf(verdict);
      const ports = claim.listeners.map(portText).join(", ");
      return `${addresses.join(" and ")} ${addresses.length > 1 ? "serve" : "serves"} ${ports}.`;
    }
    case "MembersReady":
      return "Every port has a member.";
  }
}

function isRemark(condition: Condition): condition is Condition & Pick<Remark, "reason"> {
  const { reason } = condition;
  return reason !== "Allocated" && reason !== "Proved" && reason !== "Ready";
}
