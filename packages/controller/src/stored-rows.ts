// What the store holds, as the loop knows it, and what of a plan is stored. Pure.

import {
  type Address,
  type Intent,
  type Lane,
  type LaneId,
  type LeasedAddress,
  type Plan,
  isLasting,
} from "@fairlead/model";

import type { StoredState } from "./ports.ts";

/** Rows of the store that planning decides about. */
export interface StoredRows {
  readonly leases: ReadonlyMap<Address, LeasedAddress>;
  readonly lanes: ReadonlyMap<LaneId, Lane>;
  readonly intents: readonly Intent[];
}

/** A store that holds nothing. */
export const NO_ROWS: StoredRows = { leases: new Map(), lanes: new Map(), intents: [] };

/** What was stored when the store was opened. */
export function openedRows({ leases, lanes, intents }: StoredState): StoredRows {
  return {
    leases: new Map(leases.map((lease) => [lease.address, lease])),
    lanes: new Map(lanes.map((lane) => [lane.id, lane])),
    intents,
  };
}

/** What of a plan is stored. */
export function storedRows({ leases, lanes, intents }: Plan): StoredRows {
  return { leases, lanes, intents: intents.every(isLasting) ? intents : intents.filter(isLasting) };
}
