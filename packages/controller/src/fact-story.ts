// What the controller's state becomes by facts that come one after the other, for tests alone:
// facts of a source in a few words, and the story that they make.

import type { Claim, ClaimId, PoolName } from "@fairlead/model";

import { type ClusterState, createClusterState, foldFacts } from "./cluster-state.ts";
import type { Fact } from "./facts.ts";

/** A source shows a claim. */
export function seen(claim: Claim, source = "folder"): Fact {
  return { kind: "claim-seen", source, claim };
}

/** A source says that a claim is gone, and how it knows. */
export function gone(claim: Claim, how: "seen-deleted" | "absent", source = "folder"): Fact {
  return { kind: "claim-gone", source, id: claim.id, uid: claim.uid, how };
}

/** A source has these claims and pools, and no more. */
export function listed(
  claims: readonly Claim[],
  source = "folder",
  pools: readonly PoolName[] = [],
): Fact {
  return {
    kind: "source-listed",
    source,
    atMs: 0,
    claims: new Set(claims.map(({ id }) => id)),
    pools: new Set(pools),
  };
}

/** Facts by the second at which they arrive. */
export type Story = readonly (readonly [second: number, ...facts: readonly Fact[]])[];

/** What came of a story. */
export interface Told {
  readonly state: ClusterState;
  /** Seconds at which planning could come out differently. */
  readonly changedAt: readonly number[];
}

/** Folds a story into a state that knows these claims by the store. */
export function tell(
  story: Story,
  options: { readonly stored?: readonly ClaimId[]; readonly sources?: readonly string[] } = {},
): Told {
  const { stored = [], sources = ["folder"] } = options;
  let state = createClusterState(stored);
  const changedAt: number[] = [];
  for (const [second, ...facts] of story) {
    const times = { nowMs: 1_000_000 + second * 1000, steadyMs: second * 1000 };
    const folded = foldFacts(state, facts, { sources, ...times });
    state = folded.state;
    if (folded.changed) changedAt.push(second);
  }
  return { state, changedAt };
}
