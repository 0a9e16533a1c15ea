// What memory promises: it changes no result, whatever happens between two plans, and what says the
// same as in the plan before is the same object. Given random small worlds of testkit, and one that
// is large enough for its maps to be patched.

import assert from "node:assert/strict";
import { test } from "node:test";

import type { Plan, World } from "@fairlead/model";
import {
  arbHistory,
  arbHistoryWithLosses,
  makeClaim,
  makePool,
  makeRevisionOf,
  makeWorld,
  nextWorld,
  playHistory,
  proveAll,
  propertyRuns,
} from "@fairlead/testkit";
import fc from "fast-check";

import { type PlanOptions, createPlanMemory, plan } from "./index.ts";

const revisionOf = makeRevisionOf();
/** Histories of one property. */
const RUNS = 200;

test("memory changes no result", () => {
  fc.assert(
    fc.property(arbHistoryWithLosses, (history) => {
      const memory = createPlanMemory();
      playHistory(
        history,
        (world) => plan(world, { revisionOf, memory }),
        (world, planned) => assert.deepEqual(planned, plan(world, { revisionOf })),
      );
    }),
    propertyRuns(RUNS),
  );
});

test("memory changes no result, whatever may still be on its way to agents", () => {
  fc.assert(
    fc.property(arbHistory, fc.func(fc.boolean()), (history, mayStill) => {
      const memory = createPlanMemory();
      let step = 0;
      const options = (): PlanOptions => ({
        revisionOf,
        mayStillGet: (agent, address) => mayStill(step, agent, address),
      });
      playHistory(
        history,
        (world) => {
          step += 1;
          return plan(world, { ...options(), memory });
        },
        (world, planned) => assert.deepEqual(planned, plan(world, options())),
      );
    }),
    propertyRuns(RUNS),
  );
});

test("a plan that was never stored leaves no trace", () => {
  fc.assert(
    fc.property(arbHistory, fc.nat(), (history, seed) => {
      const memory = createPlanMemory();
      playHistory(
        history,
        (world) => {
          const planned = plan(world, { revisionOf, memory });
          // As the loop does while the store cannot be written: another one, of fewer claims.
          plan(without(world, seed), { revisionOf, memory });
          return planned;
        },
        (world, planned) => assert.deepEqual(planned, plan(world, { revisionOf })),
      );
    }),
    propertyRuns(RUNS),
  );
});

function without(world: World, seed: number): World {
  const claims = [...world.claims].filter((_, i) => (seed + i) % 3 !== 0);
  return { ...world, claims: new Map(claims) };
}

test("what did not change is the same object", () => {
  fc.assert(
    fc.property(arbHistory, (history) => {
      const memory = createPlanMemory();
      let before: Plan | undefined;
      playHistory(
        history,
        (world) => plan(world, { revisionOf, memory }),
        (_world, planned) => {
          if (before !== undefined) assertKept(before, planned);
          before = planned;
        },
      );
    }),
    propertyRuns(RUNS),
  );
});

function assertKept(before: Plan, now: Plan): void {
  for (const part of ["leases", "lanes", "nodePlans", "verdicts"] as const) {
    assertEntriesKept<string, unknown>(before[part], now[part]);
  }
  for (const [agent, { resources }] of now.nodePlans) {
    const old = before.nodePlans.get(agent);
    if (old !== undefined) assertEntriesKept(old.resources, resources);
  }
  assertSame(before.findings, now.findings);
}

function assertEntriesKept<Key, Value>(
  before: ReadonlyMap<Key, Value>,
  now: ReadonlyMap<Key, Value>,
): void {
  for (const [key, value] of now) {
    if (before.has(key)) assertSame(before.get(key), value);
  }
  assertSame(before, now);
}

/** Whatever compares as the same is the same. */
function assertSame(before: unknown, now: unknown): void {
  if (before === now) return;
  assert.notDeepEqual(now, before);
}

/** Enough for maps that are patched. */
const MANY = 600;

test("in a large world memory changes no result either", () => {
  const memory = createPlanMemory();
  const pools = [makePool("default", "192.0.2.100-192.0.2.199, 198.51.100.0/22")];
  const claims = Array.from({ length: MANY }, (_, i) => makeClaim(`svc-${i}`, { createdAtMs: i }));
  let world = makeWorld({ claims, pools });
  const go = (): Plan => {
    const planned = plan(world, { revisionOf, memory });
    assert.deepEqual(plainOf(planned), plainOf(plan(world, { revisionOf })));
    return planned;
  };
  world = nextWorld(world, go(), { agents: proveAll(world, go()) });
  for (let step = 0; step < 15; step++) {
    const edited = new Map(world.claims);
    const changed = makeClaim(`svc-${step * 7}`, { members: [`10.9.0.${step}:80`] });
    edited.set(changed.id, changed);
    const added = makeClaim(`new-${step}`, { createdAtMs: MANY + step });
    edited.set(added.id, added);
    if (step % 3 === 0) edited.delete(makeClaim(`svc-${step}`).id);
    const planned = go();
    const agents = step % 4 === 0 ? proveAll(world, planned) : [...world.agents.values()];
    world = nextWorld(world, planned, { claims: [...edited.values()], agents });
  }
  assert.equal(go().verdicts.size, MANY + 15 - 5);
});

/** With plain maps, which compare by content. */
function plainOf({ leases, lanes, nodePlans, verdicts, findings }: Plan): unknown {
  const plans = Array.from(nodePlans.values(), ({ agent, resources, retained }) => {
    return { agent, retained, resources: new Map(resources) };
  });
  return {
    leases: new Map(leases),
    lanes: new Map(lanes),
    verdicts: new Map(verdicts),
    plans,
    findings,
  };
}
