// What a leader that has just begun may not yet know: an agent that has not come, or has said no
// more than hello. Given random histories of testkit in which every agent had served; for the
// others nothing changes by it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { isDeepStrictEqual } from "node:util";

import {
  type AgentName,
  type AgentView,
  type Plan,
  type World,
  compareText,
  laneName,
} from "@fairlead/model";
import {
  arbHistory,
  makeRevisionOf,
  nextWorld,
  playHistory,
  propertyRuns,
  proveAll,
} from "@fairlead/testkit";
import fc from "fast-check";

import { plan, reportedHolders } from "./index.ts";

const revisionOf = makeRevisionOf();
const RUNS = 40;
/** Rounds of reports after which a plan has come to rest, or is taken for one that never does. */
const ROUNDS_MAX = 8;
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

/** An agent that can tell what it hears says so of each lane that it has and another one holds. */
function hearingAll(view: AgentView, { nodePlans }: Plan): AgentView {
  if (view.report === undefined || !view.hello.capabilities.includes("hearing")) return view;
  const hearing = [...(nodePlans.get(view.name)?.resources.values() ?? [])]
    .filter((one) => one.kind === "lane" && one.holder !== view.name)
    .map(({ name }) => ({ lane: name, state: "heard" as const }))
    .toSorted((a, b) => compareText(a.lane, b.lane));
  return { ...view, report: { ...view.report, hearing } };
}

/**
 * The same world when every agent has served its plan and nothing follows of it any more;
 * undefined: something does. A host that joins a lane waits for a word of each that runs it, as
 * long as that is there to be asked.
 */
function served(first: World, made: Plan): Served | undefined {
  let [world, before] = [first, made];
  for (let round = 0; round < ROUNDS_MAX; round += 1) {
    const proved = proveAll(world, before, { revisionOf });
    world = nextWorld(world, before, { agents: proved.map((view) => hearingAll(view, before)) });
    const next = planAlone(world);
    if (isDeepStrictEqual(next, before)) return { world: nextWorld(world, next), before: next };
    before = next;
  }
  return undefined;
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

/** Whether somebody holds each lane: while nobody does, whoever is there is let in. */
function areHeld(world: World, { lanes }: Plan): boolean {
  const holders = reportedHolders(world);
  return [...lanes.keys()].every((id) => holders.has(laneName(id)));
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
          const rested = served(first, made);
          if (rested === undefined || !isAtRest(rested.before)) return;
          const { world, before } = rested;
          if (!areHeld(world, before)) return;
          for (const [late, { strangers }] of world.agents) {
            // An address where it alone saw a stranger is asked for anew, by whoever is given it.
            if (strangers !== undefined && strangers.size > 0) continue;
            const agents = [...world.agents.values()].flatMap((view) => {
              if (view.name !== late) return [view];
              return kind === "has not come yet" ? [] : [silent(view)];
            });
            looked += 1;
            const heard = { ...nextWorld(world, before, { agents }), heardSinceMs: world.nowMs };
            assertSameButFor(late, planAlone(heard), before);
          }
        });
      }),
      propertyRuns(RUNS),
    );
    assert.ok(looked > 0, "no world was at rest");
  });
}
