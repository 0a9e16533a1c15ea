// What becomes of a lane while keepalived of one of its agents is down: whoever else is there takes
// it over, and is not held back by the one that cannot say that it speaks to it.

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  type AgentName,
  type AgentView,
  type Lane,
  type LaneHearing,
  type Plan,
  type ResourceReport,
  type World,
  laneName,
  present,
} from "@fairlead/model";
import {
  makeAgent,
  makeClaim,
  makeRevisionOf,
  makeWorld,
  nextWorld,
  proveAll,
  withHearing,
} from "@fairlead/testkit";

import { plan } from "./index.ts";

const revisionOf = makeRevisionOf();
const planned = (world: World): Plan => plan(world, { revisionOf });

/** A host whose agent can tell what it hears. */
function host(n: number): AgentView {
  return withHearing(makeAgent(`lb-${n}`, { prefixes: [`192.0.2.1${n}/24`] }));
}

interface Story {
  readonly world: World;
  readonly made: Plan;
}

type Change = (view: AgentView, story: Story) => AgentView;

/** The world some time later, in which agents did what they were told, but for these changes. */
function later({ world, made }: Story, ms: number, ...changes: readonly Change[]): Story {
  const before = { world: { ...world, nowMs: world.nowMs + ms }, made };
  const agents = proveAll(before.world, made, { revisionOf }).map((view) =>
    changes.reduce((now, change) => (now.connected ? change(now, before) : now), view),
  );
  const next = nextWorld(before.world, made, { agents });
  return { world: next, made: planned(next) };
}

/** A lane that all of them run: its successors have heard its holder. */
function served(...agents: readonly AgentView[]): Story {
  const world = makeWorld({ agents, claims: [makeClaim("web")] });
  const held = later({ world, made: planned(world) }, 1000);
  return later(later(held, 1000), 1000);
}

function laneOf({ made }: Story): Lane {
  return present([...made.lanes.values()][0], "there is a lane");
}

/** `runs`, `listens`, or `is out`. */
function roleOf(story: Story, agent: AgentName): string {
  const { made } = story;
  const lane = made.nodePlans.get(agent)?.resources.get(laneName(laneOf(story).id));
  if (lane?.kind !== "lane") return "is out";
  return lane.listens === true ? "listens" : "runs";
}

function hears(agent: AgentName, state: LaneHearing["state"]): Change {
  return (view, story) => {
    if (view.name !== agent || view.report === undefined) return view;
    const lane = laneName(laneOf(story).id);
    const report = { ...view.report, hearing: [{ lane, state }] };
    const sinceMs = new Map([[lane, 1]]);
    const unheard = state === "unheard" ? { unheardSinceMs: sinceMs } : {};
    return { ...view, report, laneSinceMs: sinceMs, ...unheard };
  };
}

const hearsNobody: Change = (view) =>
  view.report === undefined ? view : { ...view, report: { ...view.report, hearing: [] } };

/** What an agent says whose keepalived has died; it does not say that it failed while it starts. */
function isDown(
  agent: AgentName,
  { lostAtMs, isFirst = false, isAlive = false }: Down = {},
): Change {
  return (view, { made, world }) => {
    if (view.name !== agent || view.report === undefined) return view;
    const resources = new Map(view.report.resources);
    for (const [name, row] of resources) {
      const lane = made.nodePlans.get(agent)?.resources.get(name);
      if (lane?.kind === "lane") resources.set(name, unproved(row, "received"));
      if (lane?.kind === "vip") resources.set(name, unproved(row, "applied"));
    }
    const lanes = view.report.lanes.map((lane) => ({ ...lane, state: "absent" }) as const);
    const dataPlane = { ...view.report.dataPlane, keepalivedAlive: isAlive };
    const remark = { reason: "DataPlaneDown", detail: "keepalived is not running" } as const;
    const report = {
      ...view.report,
      resources,
      lanes,
      dataPlane,
      remarks: isFirst ? [] : [remark],
    };
    const lost = lostAtMs === undefined ? [] : [...made.leases.keys()];
    return {
      ...view,
      report,
      heldSinceMs: new Map(),
      lostAtMs: new Map(lost.map((address) => [address, lostAtMs ?? world.nowMs])),
    };
  };
}

interface Down {
  /** When it was heard to hold its VIPs no more. Default: it held none. */
  readonly lostAtMs?: number;
  /** Whether it has never run yet. Default: it has. */
  readonly isFirst?: boolean;
  /** Whether it is nginx that is down, and keepalived only has not the newest yet. Default: no. */
  readonly isAlive?: boolean;
}

function unproved(row: ResourceReport, step: ResourceReport["step"]): ResourceReport {
  return { ...row, step, evidence: [] };
}

/** A lane of two, of which one does not hear the other, and listens. */
function deafened(): {
  readonly story: Story;
  readonly holder: AgentName;
  readonly deaf: AgentName;
} {
  const begun = served(host(1), host(2));
  const [first, second] = laneOf(begun).order;
  const holder = present(first, "a holder");
  const deaf = present(second, "a successor");
  let story = begun;
  for (let round = 0; round < 3; round++) story = later(story, 1000, hears(deaf, "unheard"));
  assert.equal(roleOf(story, deaf), "listens");
  return { story, holder, deaf };
}

test("a deaf agent takes over from a living agent whose keepalived stays down", () => {
  const { story, holder, deaf } = deafened();
  const lostAtMs = story.world.nowMs + 1000;
  const changes = [isDown(holder, { lostAtMs }), hears(deaf, "unheard")];
  let down = later(story, 1000, ...changes);
  assert.equal(
    roleOf(down, deaf),
    "listens",
    "a supervisor has a dead keepalived back in a second",
  );
  for (let second = 0; second < 5; second++) down = later(down, 1000, ...changes);
  assert.equal(roleOf(down, deaf), "listens");
  down = later(down, 1000, ...changes);
  assert.equal(roleOf(down, deaf), "runs", "six seconds after the holder lost it");
});

test("a deaf agent stays out of a lane whose holder's keepalived comes back at once", () => {
  const { story, holder, deaf } = deafened();
  const lostAtMs = story.world.nowMs + 1000;
  let back = later(story, 1000, isDown(holder, { lostAtMs }), hears(deaf, "unheard"));
  for (let second = 0; second < 10; second++) back = later(back, 1000, hears(deaf, "unheard"));
  assert.equal(roleOf(back, deaf), "listens");
});

/** A lane whose successor's keepalived is down, and a third host that was added for it. */
function addedBesideDown(): {
  readonly story: Story;
  readonly holder: AgentName;
  readonly broken: AgentName;
  readonly newcomer: AgentName;
} {
  const begun = served(host(1), host(2));
  const [holder, broken] = laneOf(begun).order.map((name) => present(name, "an agent"));
  assert.ok(holder !== undefined && broken !== undefined);
  const story = later(begun, 5000, isDown(broken));
  const newcomer = host(3).name;
  const agents = [...story.world.agents.values(), host(3)];
  const added = nextWorld(story.world, story.made, { agents });
  const joining = { world: added, made: planned(added) };
  assert.ok(laneOf(joining).order.includes(newcomer));
  assert.notEqual(roleOf(joining, newcomer), "runs", "its holder does not speak to it yet");
  return { story: joining, holder, broken, newcomer };
}

test("a host that is added for one whose keepalived is down runs the lane, and can follow", () => {
  const { story, holder, broken, newcomer } = addedBesideDown();
  // What keepalived does not take stays as it was before: the lane without the newcomer.
  const stale: Change = (view) => {
    if (view.name !== broken || view.report === undefined) return view;
    const known = present(story.world.agents.get(view.name)?.report, "it reported");
    return { ...view, report: { ...view.report, resources: known.resources } };
  };
  const joined = later(story, 1000, isDown(broken), stale, hears(newcomer, "heard"));
  assert.equal(roleOf(joined, newcomer), "runs");
  assert.equal(laneOf(joined).holder, holder);
});

test("a host that joins waits for one whose keepalived is down until that one knows of it", () => {
  const { story, broken, newcomer } = addedBesideDown();
  // Its plan is the one of before, by which its keepalived may come back any time.
  const silent: Change = (view, { world }) =>
    view.name === broken ? present(world.agents.get(broken), "it is known") : view;
  const before = later(story, 30_000, silent, hears(newcomer, "heard"));
  assert.notEqual(roleOf(before, newcomer), "runs");
  const told = later(before, 1000, isDown(broken), hears(newcomer, "heard"));
  assert.equal(roleOf(told, newcomer), "runs");
});

test("one whose keepalived is down and that knows of the newcomer may be out of reach", () => {
  const { story, broken, newcomer } = addedBesideDown();
  const isAway: Change = (view, { world }) =>
    view.name === broken ? { ...view, connected: false, disconnectedAtMs: world.nowMs } : view;
  const told = later(story, 1000, isDown(broken), isAway, hears(newcomer, "heard"));
  assert.equal(roleOf(told, newcomer), "runs");
});

const waitedFor: readonly (readonly [string, Down])[] = [
  ["that starts its keepalived for the first time", { isFirst: true }],
  ["on which nginx alone is down", { isAlive: true }],
];
for (const [which, down] of waitedFor) {
  test(`a host that joins waits for one ${which}`, () => {
    const begun = served(host(1), host(2));
    const [, late] = laneOf(begun).order;
    const added = nextWorld(begun.world, begun.made, {
      agents: [...begun.world.agents.values(), host(3)],
    });
    const joining = { world: added, made: planned(added) };
    const hearing = hears(host(3).name, "heard");
    const half = later(joining, 1000, isDown(present(late, "a successor"), down), hearing);
    assert.notEqual(roleOf(half, host(3).name), "runs");
    assert.equal(roleOf(later(half, 1000, hearing), host(3).name), "runs");
  });
}

for (const [which, hasIt] of [
  ["whose keepalived does not start", true],
  ["that fails before it says that it has the lane", false],
] as const) {
  test(`a host that comes to a new lane waits some seconds for one ${which}`, () => {
    const claims = [makeClaim("web")];
    const world = makeWorld({ agents: [host(1)], claims });
    const begun: Story = { world, made: planned(world) };
    const [broken, comer] = [host(1).name, host(2).name];
    const failing: Change = (view, story) => {
      const down = isDown(broken)(view, story);
      if (hasIt) {
        return { ...down, laneSinceMs: new Map([[laneName(laneOf(story).id), world.nowMs]]) };
      }
      const isIt = down.name === broken && down.report !== undefined;
      return isIt ? { ...down, report: { ...down.report, resources: new Map() } } : down;
    };
    const grown = ({ world: now, made }: Story): Story => {
      const next = nextWorld(now, made, { agents: [...now.agents.values(), host(2)] });
      return { world: next, made: planned(next) };
    };
    const come = grown(later(begun, 1000, failing));
    assert.equal(roleOf(come, comer), "listens");
    const early = later(come, 5399, failing, hearsNobody);
    assert.equal(roleOf(early, comer), "listens");
    assert.equal(roleOf(later(early, 1, failing, hearsNobody), comer), "runs");
  });
}
