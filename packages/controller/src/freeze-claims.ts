// The claims of a world, taken from what facts have added up to. Pure. Only what was seen anew
// since the last world is read.

import { type Claim, type ClaimId, changedKeys, patchMap } from "@fairlead/model";

import type { Seen } from "./cluster-state.ts";

/** Claims as a world has them, and what they were taken from. */
export interface FrozenClaims {
  readonly seen: ReadonlyMap<ClaimId, Seen<Claim>>;
  readonly claims: ReadonlyMap<ClaimId, Claim>;
}

/** Nothing seen yet. */
export const NO_CLAIMS: FrozenClaims = { seen: new Map(), claims: new Map() };

/** The claims that are seen now; the same map when all are the same as before. */
export function freezeClaims(before: FrozenClaims, seen: FrozenClaims["seen"]): FrozenClaims {
  const changes = new Map<ClaimId, Claim | undefined>();
  for (const id of changedKeys(before.seen, seen)) changes.set(id, seen.get(id)?.value);
  return { seen, claims: patchMap(before.claims, changes) };
}
