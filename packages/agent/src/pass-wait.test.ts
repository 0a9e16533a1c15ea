// When passes may begin: the holder of what is new at once, those behind it a moment later, and
// whatever takes something away never for another agent's sake.

import assert from "node:assert/strict";
import { test } from "node:test";

import type { AgentName, LaneResource, Resource } from "@fairlead/model";
import { acceptedPlan, laneOf, listenerOf, vipOf } from "@fairlead/testkit";

import {
  OLD_PLAN_MS,
  RELOAD_GAP_MS,
  RELOAD_GAP_MS_MAX,
  RELOAD_GAP_TIMES,
  SUCCESSOR_MS,
} from "./converge-times.ts";
import { createPassWait } from "./pass-wait.ts";

const ORDER = ["a=192.0.2.11", "b=192.0.2.12"];
const HELD: LaneResource = {
  ...laneOf({ routerId: 51, order: ORDER, preempt: false }),
  holder: "a" as AgentName,
};
const FRESH = laneOf({ routerId: 52, order: ORDER });
const NOTHING = { lanes: new Map() };
const FIRST = web("192.0.2.100", HELD);

function web(vip: string, lane: LaneResource, member = 21): Resource[] {
  return [lane, vipOf(vip, lane), ...listenerOf(`${vip}:80/tcp`, [`192.0.2.${member}:8080`])];
}

const cases = [
  { name: "the holder does what is new at once", agent: "a", next: more(HELD), waitMs: 0 },
  { name: "a successor waits for the holder", agent: "b", next: more(HELD), waitMs: SUCCESSOR_MS },
  { name: "the first of a new lane does not wait", agent: "a", next: more(FRESH), waitMs: 0 },
  { name: "others of a new lane wait for it", agent: "b", next: more(FRESH), waitMs: SUCCESSOR_MS },
  { name: "what goes goes at once", agent: "b", next: [], waitMs: 0 },
  {
    name: "what changes changes at once",
    agent: "b",
    next: [...web("192.0.2.100", HELD, 22), ...web("192.0.2.101", HELD).slice(1)],
    waitMs: 0,
  },
  {
    name: "a lane that changes does so at once",
    agent: "b",
    next: web("192.0.2.100", { ...HELD, advertIntervalMs: 200 }),
    waitMs: 0,
  },
  {
    name: "a lane that nobody is known to hold is everybody's",
    agent: "b",
    next: more(laneOf({ routerId: 53, order: ORDER, preempt: false })),
    waitMs: 0,
  },
] as const;

function more(lane: LaneResource): readonly Resource[] {
  const ofLane = lane === HELD ? web("192.0.2.101", lane).slice(1) : web("192.0.2.101", lane);
  return [...FIRST, ...ofLane];
}

for (const { name, agent, next, waitMs } of cases) {
  test(`when a pass may begin: ${name}`, () => {
    const wait = createPassWait();
    assert.equal(wait.begin(acceptedPlan(agent, FIRST), NOTHING, 0), 0);
    assert.equal(wait.begin(acceptedPlan(agent, next), NOTHING, 5000), waitMs);
  });
}

test("when a pass may begin: plans that follow one another keep nobody waiting longer", () => {
  const wait = createPassWait();
  wait.begin(acceptedPlan("b", FIRST), NOTHING, 0);
  const [one, two] = [more(HELD), [...more(HELD), ...web("192.0.2.102", HELD).slice(1)]];
  assert.equal(wait.begin(acceptedPlan("b", one), NOTHING, 5000), SUCCESSOR_MS);
  assert.equal(wait.begin(acceptedPlan("b", two), NOTHING, 5100), SUCCESSOR_MS - 100);
  assert.equal(wait.begin(acceptedPlan("b", two), NOTHING, 5000 + SUCCESSOR_MS), 0);
});

test("when a pass may begin: a plan from before the boot waits for a newer one, and not for ever", () => {
  const wait = createPassWait();
  const [old, newer] = [acceptedPlan("a", FIRST), acceptedPlan("a", more(HELD))];
  wait.booted(old, 1000);
  assert.equal(wait.begin(old, NOTHING, 1000), OLD_PLAN_MS);
  assert.equal(wait.begin(old, NOTHING, 1000 + OLD_PLAN_MS), 0);
  wait.booted(old, 1000);
  assert.equal(wait.begin(newer, NOTHING, 1200), 0);
});

test("when a pass may begin: the old plan under a new leader's epoch is as old as before", () => {
  const wait = createPassWait();
  const old = acceptedPlan("a", FIRST);
  wait.booted(old, 1000);
  assert.equal(wait.begin({ ...old, epoch: 7 }, NOTHING, 1500), OLD_PLAN_MS - 500);
});

test("when a pass may begin: what a host has on its own device is nobody else's", () => {
  const wait = createPassWait();
  const own = acceptedPlan("a", []);
  wait.booted(own, 1000);
  assert.equal(wait.begin(own, NOTHING, 1000), 0);
});

const rests = [
  { name: "a second after a short one", tookMs: 300, restMs: RELOAD_GAP_MS },
  { name: "longer after a slow one", tookMs: 1000, restMs: RELOAD_GAP_TIMES * 1000 },
  { name: "never very long", tookMs: 60_000, restMs: RELOAD_GAP_MS_MAX },
];
for (const { name, tookMs, restMs } of rests) {
  test(`when a pass may begin: daemons have their rest after a reload, ${name}`, () => {
    const wait = createPassWait();
    wait.begin(acceptedPlan("a", FIRST), NOTHING, 0);
    wait.ended(0, { disturbed: true, reloadMs: tookMs, applied: { undecided: new Map() } }, tookMs);
    assert.equal(wait.begin(acceptedPlan("a", more(HELD)), NOTHING, 300), restMs - 300);
  });
}
