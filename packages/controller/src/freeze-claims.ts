// A world and its claims, taken from what facts have added up to. Pure. Only what was seen anew
// since the last world is read.

import { type Claim, type ClaimId, type World, changedKeys, patchMap } from "@fairlead/model";

import type { ClusterState, Seen } from "./cluster-state.ts";

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

/** The world of one moment: what facts have added up to, with what is stored. */
export function worldOf(
  { orphans, pools, agents, barred, ipam, heardSinceMs }: ClusterState,
  rest: Omit<World, "absent" | "pools" | "agents" | "barred" | "ipam" | "heardSinceMs">,
): World {
  return {
    ...rest,
    absent: new Set(orphans.keys()),
    pools: Array.from(pools.values(), (seen) => seen.value),
    agents,
    ...barredIn(barred),
    ipam,
    ...(heardSinceMs === undefined ? {} : { heardSinceMs }),
  };
}

/** What any source bars; of several that bar one address, the last is heard. */
function barredIn(barred: ClusterState["barred"]): Pick<World, "barred"> {
  const [first] = barred.values();
  if (first === undefined) return {};
  if (barred.size === 1) return { barred: first };
  return { barred: new Map([...barred.values()].flatMap((one) => [...one])) };
}
