// What the controller's loop shows of a world and its plan, for tests of whoever reads it. Given
// both; every claim was seen by one source at the world's time.

import type { CycleView } from "@fairlead/controller";
import { NO_SIGHTS, type Plan, type World, compareText } from "@fairlead/model";

/** The view of a loop that made this plan of this world. */
export function makeCycleView(
  world: World,
  plan: Plan | undefined,
  changes: Partial<CycleView> = {},
): CycleView {
  const seen = <T>(value: T): { value: T; source: string; seenAtMs: number } => ({
    value,
    source: "folder",
    seenAtMs: world.nowMs,
  });
  const findings = [...(plan?.findings ?? [])];
  return {
    epoch: 1,
    lead: { leads: true, holder: "controller" },
    cycles: plan === undefined ? 0 : 1,
    state: {
      claims: new Map(Array.from(world.claims, ([id, claim]) => [id, seen(claim)])),
      pools: new Map(world.pools.map((pool) => [`folder\n${pool.name}`, seen(pool)])),
      agents: world.agents,
      ended: new Map(),
      findings: new Map(),
      orphans: new Map(Array.from(world.absent, (id) => [id, {}])),
      listedSteadyMs: new Map([["folder", 0]]),
      barred: new Map(),
      ipam: world.ipam ?? NO_SIGHTS,
      heardSinceMs: world.heardSinceMs,
    },
    judged: plan === undefined ? new Map() : world.claims,
    times: new Map(
      Array.from(plan?.verdicts ?? [], ([id, { state }]) => [id, { state, sinceMs: world.nowMs }]),
    ),
    moves: new Map(),
    findings: findings.sort((a, b) => compareText(a.name, b.name)),
    ...(plan === undefined ? {} : { plan }),
    ...changes,
  };
}
