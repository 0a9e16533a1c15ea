// What a leader that has just begun may not yet know: an agent that has not come, or has said no
// more than hello. Given random histories of testkit in which every agent had served; for the
// others nothing changes by it.

import assert from "node:assert/strict";
import { test } from "node:test";

import type { AgentName, AgentView, Plan, World } from "@fairlead/model";
import {
  arbHistory,
  makeRevisionOf,
  nextWorld,
  playHistory,
  propertyRuns,
  proveAll,
} from "@fairlead/testkit";
import fc from "fast-check";

import { plan } from "./index.ts";

const revisionOf = makeRevisionOf();
const RUNS = 40;
/** Rounds of reports after which a plan has come to rest. */
const ROUNDS = 3;
const planAlone = (world: World): Plan => plan(world, { revisionOf });
/** An address of a host's own is known by that host alone, which is in the same process. */
const arbPooled: typeof arbHistory = arbHistory.map((history) => {
  const settings = { ...history.world.settings, sharesOwnAddress: false };
  return { ...history, world: { ...history.world, settings } };
});

interface Served {
  readonly world: World;
  readonly before: Plan;
}

/** The same world when every agent has served its plan, as often as it takes. */
function served(first: World, made: Plan): Served {
  let [world, before] = [first, made];
  for (let round = 0; round < ROUNDS; round += 1) {
    world = nextWorld(world, before, { agents: proveAll(world, before) });
    before = planAlone(world);
  }
  const rested = nextWorld(world, before);
  return { world: rested, before: planAlone(rested) };
}

/**
 * Whether all that is held has a place, and no two hold one lane: an address that waits for a word
 * about an agent's network, and who gives up what two had, is decided anew by whoever is there.
 */
function isAtRest({ leases, lanes }: Plan): boolean {
  const isPlaced = [...leases.values()].every(
    ({ state, placement }) => state.kind !== "held" || placement.kind !== "unplaced",
  );
  return isPlaced && [...lanes.values()].every(({ yielding }) => yielding === undefined);
}

/** What a new leader knows of an agent that has only said hello. */
function silent({ name, connected, hello, heardAtMs }: AgentView): AgentView {
  return { name, connected, hello, heardAtMs, heldSinceMs: new Map() };
}

function assertSameButFor(late: AgentName, made: Plan, before: Plan): void {
  assert.deepEqual(made.lanes, before.lanes);
  assert.deepEqual(made.leases, before.leases);
  assert.deepEqual(made.intents, before.intents);
  for (const [name, nodePlan] of before.nodePlans) {
    if (name !== late) assert.deepEqual(made.nodePlans.get(name), nodePlan);
  }
}

for (const kind of ["has not come yet", "has said no more than hello"] as const) {
  test(`an agent that ${kind} changes nothing for the others`, () => {
    let looked = 0;
    fc.assert(
      fc.property(arbPooled, (history) => {
        playHistory(history, planAlone, (first, made) => {
          const { world, before } = served(first, made);
          if (!isAtRest(before)) return;
          for (const late of world.agents.keys()) {
            const agents = [...world.agents.values()].flatMap((view) => {
              if (view.name !== late) return [view];
              return kind === "has not come yet" ? [] : [silent(view)];
            });
            looked += 1;
            assertSameButFor(late, planAlone(nextWorld(world, before, { agents })), before);
          }
        });
      }),
      propertyRuns(RUNS),
    );
    assert.ok(looked > 0, "no world was at rest");
  });
}
