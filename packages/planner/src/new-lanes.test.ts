// How a lane that nobody has held yet begins: with one host alone, until the others hear it. Two
// that a firewall keeps from hearing each other would both hold its VIPs.

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  type AgentName,
  type AgentView,
  type Lane,
  type LaneHearing,
  type Plan,
  type Revision,
  type World,
  laneId,
  laneName,
  present,
} from "@fairlead/model";
import {
  makeAgents,
  makeClaim,
  makeRevisionOf,
  makeWorld,
  nextWorld,
  proveAll,
  withHearing,
} from "@fairlead/testkit";

import { plan } from "./index.ts";
import { waitingForFirst } from "./new-lanes.ts";

const revisionOf = makeRevisionOf();
const planned = (world: World): Plan => plan(world, { revisionOf });

/** Adverts of 100 ms are missed by then, and who answers is known. */
const LISTENED_MS = 6400;

const hosts = makeAgents(3).map(withHearing);

interface Story {
  readonly world: World;
  readonly made: Plan;
}

type Change = (view: AgentView, story: Story) => AgentView;

function begun(agents: readonly AgentView[] = hosts): Story {
  const world = makeWorld({ agents, claims: [makeClaim("web")] });
  return { world, made: planned(world) };
}

/** The world some time later, in which agents did what they were told, but for these changes. */
function later(story: Story, ms: number, ...changes: readonly Change[]): Story {
  const world = { ...story.world, nowMs: story.world.nowMs + ms };
  const agents = proveAll(world, story.made, { revisionOf }).map((view) =>
    changes.reduce((now, change) => change(now, { ...story, world }), view),
  );
  const next = nextWorld(world, story.made, { agents });
  return { world: next, made: planned(next) };
}

function laneOf({ made }: Story): Lane {
  return present([...made.lanes.values()][0], "there is a lane");
}

/** By agent in the lane's order: `runs`, `listens`, or `is out`. */
function rolesIn({ made }: Story, { id, order }: Lane): readonly string[] {
  return order.map((agent) => {
    const lane = made.nodePlans.get(agent)?.resources.get(laneName(id));
    if (lane?.kind !== "lane") return "is out";
    return lane.listens === true ? "listens" : "runs";
  });
}

const roles = (story: Story): readonly string[] => rolesIn(story, laneOf(story));

/** What an agent says of the lane's holder, and since when it has the lane, in ms before now. */
function says(
  agent: AgentName | undefined,
  state: LaneHearing["state"] | undefined,
  sinceMs = 0,
): Change {
  return (view, story) => {
    if (view.name !== agent || view.report === undefined) return view;
    const lane = laneName(laneOf(story).id);
    const hearing = state === undefined ? [] : [{ lane, state }];
    const laneSinceMs = new Map([[lane, story.world.nowMs - sinceMs]]);
    return { ...view, laneSinceMs, report: { ...view.report, hearing } };
  };
}

/** The agent has not begun: it reports nothing of its plan. */
const idle =
  (agent: AgentName | undefined): Change =>
  (view, { world }) =>
    view.name === agent ? present(world.agents.get(view.name), "it is known") : view;

/** Nobody says that it hears anything. */
const heardNobody: Change = (view) =>
  view.report === undefined ? view : { ...view, report: { ...view.report, hearing: [] } };

test("a new lane is run by its first host alone, and by the others when they hear it", () => {
  const start = begun();
  assert.deepEqual(roles(start), ["runs", "listens", "listens"]);
  const [row] = start.made.leases.values();
  assert.deepEqual(row?.sentTo, laneOf(start).order.slice(0, 1));

  const [, second, third] = laneOf(start).order;
  const held = later(start, 1000, says(second, undefined), says(third, undefined));
  assert.equal(laneOf(held).holder, laneOf(start).order[0]);
  assert.deepEqual(roles(held), ["runs", "listens", "listens"], "nobody said yet what it hears");

  const heard = later(held, 1000, says(third, undefined));
  assert.deepEqual(roles(heard), ["runs", "runs", "listens"], "one of two said that it hears");
  assert.deepEqual(roles(later(heard, 1000)), ["runs", "runs", "runs"]);
});

test("behind a firewall a new lane never has a second host that runs it", () => {
  const [one, two] = hosts;
  let story = begun([present(one, "one"), present(two, "two")]);
  const [, second] = laneOf(story).order;
  for (let round = 0; round < 10; round++) {
    assert.deepEqual(roles(story), ["runs", "listens"]);
    story = later(story, 1000, says(second, round < 3 ? undefined : "unheard", 1000 * round));
  }
});

for (const [state, role] of [
  ["heard", "runs"],
  ["unheard", "listens"],
] as const) {
  test(`who says ${state} of its first host in another lane ${role} in a new one`, () => {
    let story = begun();
    for (let round = 0; round < 3; round++) story = later(story, 1000);
    assert.deepEqual(roles(story), ["runs", "runs", "runs"]);
    const old = laneOf(story);
    const third = present(old.order[2], "a third host");
    const said = later(story, 1000, says(third, state));
    const more = Array.from({ length: 30 }, (_, i) =>
      makeClaim(`more-${i}`, { createdAtMs: 2000 }),
    );
    const claims = [...said.world.claims.values(), ...more];
    const next = nextWorld(said.world, said.made, { claims });
    const wide = { world: next, made: planned(next) };
    const fresh = [...wide.made.lanes.values()].filter(({ settled }) => !settled);
    const known = fresh.filter(({ order }) => order[0] === old.holder);
    const unknown = fresh.filter(({ order }) => order[0] !== old.holder);
    assert.ok(known.length > 0 && unknown.length > 0);
    for (const lane of known) {
      const wanted = lane.order.map((agent) => (agent === third ? role : "runs"));
      assert.deepEqual(rolesIn(wide, lane), wanted);
    }
    for (const lane of unknown) {
      assert.deepEqual(rolesIn(wide, lane), ["runs", "listens", "listens"]);
    }
  });
}

test("who comes to a lane that has begun listens, though it hears its first host in another", () => {
  let story = begun();
  for (let round = 0; round < 3; round++) story = later(story, 1000);
  const { order, segment } = laneOf(story);
  const [first, comer] = order;
  assert.ok(first !== undefined && comer !== undefined);
  const fresh = { id: laneId(segment, 9), segment, routerId: 9, order: [first, comer] } as const;
  const options = { world: story.world, rows: story.made.leases };
  const waiting = (sent: readonly AgentName[]): readonly AgentName[] =>
    waitingForFirst(
      options,
      { ...fresh, settled: false },
      { has: () => true, sent: new Set(sent) },
    );
  assert.deepEqual(waiting([]), [], "the lane begins with both");
  assert.deepEqual(waiting([first]), [comer], "its first host may not know of the other yet");
  assert.deepEqual(waiting([first, comer]), [], "it was told to run it");
});

test("a host whose old plan has the address in another lane listens in the new one", () => {
  const start = begun(hosts.slice(0, 1));
  const [first] = laneOf(start).order;
  const run = later(start, 1000, idle(first));
  const comer = withOldPlan(present(hosts[1], "a second host"), run);
  let story = run;
  for (const round of ["as it comes", "a plan later"]) {
    const agents = [...run.world.agents.values(), comer];
    const world = nextWorld(story.world, story.made, { agents });
    story = { world, made: planned(world) };
    assert.deepEqual(laneOf(story).order, [first, comer.name]);
    assert.deepEqual(roles(story), ["runs", "listens"], round);
  }
});

/** It has reported the addresses by a plan of before, and says nothing of their lane. */
function withOldPlan(view: AgentView, { world, made }: Story): AgentView {
  const [reported] = proveAll(world, made, { revisionOf });
  const report = present(reported?.report, "the first host can report");
  const vips = [...report.resources.values()].filter(({ name }) => name.startsWith("vip/"));
  const resources = new Map(vips.map((one) => [one.name, { ...one, revision: OLD }]));
  return { ...view, report: { ...report, agent: view.name, resources, lanes: [], hearing: [] } };
}

const OLD = "0".repeat(32) as Revision;

test("who comes to a new lane waits for all that run it, though it hears its first host", () => {
  const start = begun(hosts.slice(0, 2));
  const [first, second] = laneOf(start).order;
  // Its first host does not come to say that it holds the lane.
  const run = later(start, 1000, idle(first), says(second, "heard", 1000));
  assert.deepEqual(roles(run), ["runs", "runs"]);
  const both = later(run, 1000, idle(first));
  const comer = present(hosts[2], "a third host");
  const come = nextWorld(both.world, both.made, { agents: [...both.world.agents.values(), comer] });
  const grown = { world: come, made: planned(come) };
  assert.deepEqual(laneOf(grown).order, [first, second, comer.name]);
  assert.deepEqual(roles(grown), ["runs", "runs", "listens"]);

  // A full disk keeps it from what is new, and it runs the lane as it was.
  const full = later(grown, 60_000, idle(first), idle(second), says(comer.name, "heard"));
  assert.equal(laneOf(full).settled, false);
  assert.deepEqual(
    roles(full),
    ["runs", "runs", "listens"],
    "one that runs it does not know of it",
  );
  const told = later(full, 1000, idle(first), says(comer.name, "heard"));
  assert.deepEqual(roles(told), ["runs", "runs", "runs"]);
});

test("a first host that is gone from the network is waited for, but not for ever", () => {
  const start = begun();
  const [first, second, third] = laneOf(start).order;
  const after = (ms: number): Story =>
    later(start, ms, idle(first), says(second, undefined, ms), says(third, undefined, ms));
  assert.deepEqual(roles(after(LISTENED_MS - 1)), ["runs", "listens", "listens"]);
  const next = after(LISTENED_MS);
  assert.deepEqual(roles(next), ["runs", "runs", "listens"], "who is third hears the second first");

  const wait = [idle(first), says(second, undefined, 0), says(third, undefined, LISTENED_MS)];
  const again = later(next, 10, ...wait);
  assert.deepEqual(roles(again), ["runs", "runs", "listens"], "its rows say that it was sent it");
});

test("a first host that answers and is not heard is waited for until it is in doubt", () => {
  const start = begun();
  const [first, second, third] = laneOf(start).order;
  const cut: Change = (view, { world }) => {
    if (view.name !== first) return view;
    const disconnectedAtMs = start.world.nowMs;
    return { ...present(world.agents.get(first), "it"), connected: false, disconnectedAtMs };
  };
  const after = (ms: number): Story =>
    later(start, ms, cut, says(second, "unheard", ms), says(third, "unheard", ms));
  assert.deepEqual(roles(after(60_000)), ["runs", "listens", "listens"], "it may hold it any time");
  assert.deepEqual(roles(after(68_000)), ["runs", "runs", "listens"]);
});

for (const [which, isAway] of [
  ["cannot run a new lane", false],
  ["said that it cannot run a new lane, and is out of reach,", true],
] as const) {
  test(`where the first host ${which} the next one runs it some seconds later`, () => {
    const start = begun();
    const [first] = laneOf(start).order;
    const isDown: Change = (view, { world }) => {
      if (view.name !== first || view.report === undefined) return view;
      const dataPlane = { ...view.report.dataPlane, keepalivedAlive: false };
      const remarks = [{ reason: "DataPlaneDown", detail: "keepalived is not running" }] as const;
      const resources = new Map<never, never>();
      const down = {
        ...view,
        report: { ...view.report, resources, lanes: [], dataPlane, remarks },
      };
      return isAway ? { ...down, connected: false, disconnectedAtMs: world.nowMs } : down;
    };
    const after = (ms: number): Story =>
      later(start, ms, says(first, undefined, ms), isDown, heardNobody);
    assert.deepEqual(roles(after(LISTENED_MS - 1)), ["runs", "listens", "listens"]);
    assert.deepEqual(roles(after(LISTENED_MS)), ["runs", "runs", "listens"]);
  });
}

test("hosts that cannot tell what they hear begin a new lane together", () => {
  assert.deepEqual(roles(begun(makeAgents(3))), ["runs", "runs", "runs"]);
  const unable = begun(makeAgents(3).map((one, i) => ({ ...one, hello: (hosts[i] ?? one).hello })));
  const [, second, third] = laneOf(unable).order;
  const said = [says(second, "unable"), says(third, "unable")];
  const held = later(unable, 100, ...said);
  assert.deepEqual(roles(later(held, 100, ...said)), ["runs", "runs", "runs"]);
});
