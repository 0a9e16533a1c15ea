// The pools of a world as its next planning will judge them: external ones with what their IPAM has
// given them, and hosts' own addresses where there is no pool at all. For those who have to know
// before anything is planned. Pure.

import type { World } from "@fairlead/model";

import { givesOwn, ownPools } from "./own-address.ts";
import { type IsInUse, type PoolBook, checkPools } from "./pools.ts";
import { openRegistrations } from "./registrations.ts";
import { forgottenAgents } from "./release.ts";

/**
 * Judges the pools of the world.
 * @param isInUse whether addresses of a pool will be leased: it decides between two of one age.
 */
export function poolsOf(world: World, isInUse: IsInUse): PoolBook {
  if (!givesOwn(world)) return checkPools(openRegistrations(world, undefined).world.pools, isInUse);
  const forgotten = forgottenAgents(world);
  const agents = [...world.agents.values()].filter(({ name }) => !forgotten.has(name));
  return checkPools(ownPools(agents), () => false, true);
}
