// A pool as planning uses it: an external one with what its IPAM has given it. Given what the loop
// knows. Pure.

import type { AddressPool } from "@fairlead/model";
import { openPools } from "@fairlead/planner";

import type { CycleView } from "./cycle-view.ts";

/** The pool with its ranges; the same object for one that has its own. */
export function poolInUse({ state, plan }: CycleView, pool: AddressPool): AddressPool {
  if (pool.external === undefined) return pool;
  const registrations = (plan?.intents ?? []).filter((intent) => intent.kind === "register");
  const pools = Array.from(state.pools.values(), ({ value }) => value);
  const at = pools.findIndex((one) => one.name === pool.name && one.origin === pool.origin);
  const opened = openPools(pools, { registrations, sights: state.ipam });
  return opened[at] ?? pool;
}
