// The door of the planner: planning, and the memory that makes the next one cheap.

export {
  type Allotment,
  type AllotMemory,
  type AllotWorld,
  allot,
  createAllotMemory,
} from "./allot.ts";
export { type PlanMemory, createPlanMemory } from "./memory.ts";
export { STRANGER_MS } from "./in-use.ts";
export { plan, planInSteps } from "./plan.ts";
export type { PlanOptions } from "./plan-once.ts";
export { poolFamilies, poolSize } from "./pool-size.ts";
export { type PoolBook, compareSeniority, givenBy, isGivenBy } from "./pools.ts";
export { poolsOf } from "./pools-of.ts";
export { WITHDRAW_AFTER_MS } from "./proof.ts";
export { HANDOVER_MS } from "./witness.ts";
export { forgottenAgents, type MayStillGet } from "./release.ts";
export { holderOf, type LaneHolders, reportedHolders, standsBy } from "./lane-holders.ts";
export { drainTarget } from "./rank.ts";
export { type OpenOptions, openPools } from "./external-pools.ts";
export { MOVE_MS_MAX, evenMoves } from "./settle-intents.ts";
export { isDrained, isFrozen, willOf } from "./will.ts";
export { rivalHolders, RIVAL_MS, YIELD_MS } from "./yielding.ts";
export { canTell, listenedMs } from "./hearing.ts";
export { overdueAtMs, staleAtMs } from "./stale.ts";
