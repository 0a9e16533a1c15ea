// Intents: what an operator asked for and what is not done yet. There is no workflow state beside
// this table: the phase of a move is derived from the intent and from what reports say.

import type { Address } from "./address.ts";
import type { LaneId } from "./lane.ts";
import type { AgentName } from "./name.ts";

/** An operator's stored wish; it is deleted when reports show it done. */
export type Intent = {
  /** Generated, unique. */
  readonly id: string;
  readonly sinceMs: number;
} & (
  | { readonly kind: "move"; readonly lane: LaneId; readonly to: AgentName }
  | { readonly kind: "drain"; readonly agent: AgentName }
  /** The operator's word that objects which are absent from a source are really gone. */
  | { readonly kind: "confirm"; readonly source: string }
  /** The operator's word that an agent is powered off and holds nothing. */
  | { readonly kind: "forget"; readonly agent: AgentName }
  | { readonly kind: "release"; readonly address: Address }
);
