// Rows of a store as whoever counts reads them, and who holds what by them. Pure. What may never
// be, a claim with two addresses or an address of two, fails where it is read.

import assert from "node:assert/strict";

/** A row of the store, as far as it is counted here. */
export interface StoredLease {
  readonly address: string;
  readonly owners: readonly { readonly claim: string }[];
  readonly lastClaim: string;
  /** Agents that may have it. */
  readonly sentTo: readonly string[];
  readonly state: {
    readonly kind: "held" | "draining" | "quarantined";
    /** Until when one that is quarantined rests, epoch ms. */
    readonly untilMs?: number;
  };
}

/** By the name of who holds it, each address; a claim with two, or an address of two, is none. */
export function heldBy(rows: readonly StoredLease[]): ReadonlyMap<string, string> {
  const held = new Map<string, string>();
  const addresses = new Set<string>();
  for (const { address, owners } of rows) {
    assert.ok(!addresses.has(address), `${address} is there twice`);
    addresses.add(address);
    assert.ok(owners.length <= 1, `${address} is held by ${JSON.stringify(owners)}`);
    for (const { claim } of owners) {
      const name = claim.replace("service/default/", "");
      assert.ok(!held.has(name), `${name} has ${address} and ${held.get(name) ?? ""}`);
      held.set(name, address);
    }
  }
  return held;
}
