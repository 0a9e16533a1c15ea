// Intents: what an operator asked for and what is not done yet. There is no workflow state beside
// this table: the phase of a move is derived from the intent and from what reports say. Those that
// last are stored until reports show them done, or until the operator takes them back.

import type { Address } from "./address.ts";
import type { LaneId } from "./lane.ts";
import type { AgentName } from "./name.ts";
import type { RegistrationFields } from "./registration.ts";

/** An operator's wish. */
export type Intent = {
  /** Generated, unique. */
  readonly id: string;
  readonly sinceMs: number;
} &
  /** The lane is to be held by this agent; over when it reports so, or was asked for in vain. */
  (
    | { readonly kind: "move"; readonly lane: LaneId; readonly to: AgentName }
    /** Whatever others can hold is not to be held by this agent, until the operator says so. */
    | { readonly kind: "drain"; readonly agent: AgentName }
    /** Lanes are to be held by all agents alike; over when no further move would help. */
    | { readonly kind: "rebalance" }
    /** Nothing moves by our will, until the operator says so. */
    | { readonly kind: "freeze" }
    /** The operator's word that objects which are absent from a source are really gone. */
    | { readonly kind: "confirm"; readonly source: string }
    /** The operator's word that an agent is powered off and holds nothing. */
    | { readonly kind: "forget"; readonly agent: AgentName }
    | { readonly kind: "release"; readonly address: Address }
    /** A pool is to have an address of an IPAM elsewhere; over when that was given back. */
    | ({ readonly kind: "register" } & RegistrationFields)
  );

/** A registration among the intents. */
export type Registration = Extract<Intent, { readonly kind: "register" }>;

/** Whether the intent lasts over plannings; the others are done by the planning that gets them. */
export function isLasting({ kind }: Intent): boolean {
  return kind !== "forget" && kind !== "release";
}
