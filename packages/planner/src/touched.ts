// What one planning looks at: addresses and claims about which anything may be different from last
// time. Each stage adds what it changes, and none takes anything out; whatever is not in here keeps
// what the last planning derived for it.

import { type Address, type ClaimId, changedKeys } from "@fairlead/model";

/** What is looked at; grows while a planning runs. */
export interface Touched {
  readonly addresses: Set<Address>;
  readonly claims: Set<ClaimId>;
}

/** Starts with nothing. */
export function createTouched(): Touched {
  return { addresses: new Set(), claims: new Set() };
}

/** `now`, or `before` when it has the very same values. */
export function keepMap<Key, Value>(
  before: ReadonlyMap<Key, Value> | undefined,
  now: ReadonlyMap<Key, Value>,
): ReadonlyMap<Key, Value> {
  return before !== undefined && changedKeys(before, now).length === 0 ? before : now;
}
