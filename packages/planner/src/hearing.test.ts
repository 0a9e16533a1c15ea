// Who leaves a lane because it does not hear its holder, who is back, and who is not held back: a
// successor that misses a holder that may have died is needed.

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  type AgentName,
  type AgentView,
  type LaneHearing,
  type LaneReport,
  type Plan,
  type World,
  laneName,
  present,
} from "@fairlead/model";
import {
  findVerdict,
  makeAgents,
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

const able = makeAgents(2).map(withHearing);

interface Told {
  readonly hearing?: LaneHearing["state"];
  /** Of whom it says so. Default: it does not say. */
  readonly of?: AgentName;
  /** When the holder was heard after the successor began to miss it, in ms. Default 100. */
  readonly heardAfterMs?: number;
  readonly holder?: Partial<AgentView>;
  /** Whether the holder says that it holds the lane. Default: it does. */
  readonly holds?: boolean;
  /** What one that does not says of it. Default: that it does not run it. */
  readonly instead?: LaneReport["state"];
  /** How long the successor has had the lane as it is, in ms. Default: for long. */
  readonly listenedForMs?: number;
}

/** Adverts of 100 ms are missed by then, and who answers is known. */
const LISTENED_MS = 6400;

/** A world of two agents that is served, with its plan. */
function served(agents: readonly AgentView[] = able): { world: World; made: Plan } {
  let world = makeWorld({ agents, claims: [makeClaim("web")] });
  let made = planned(world);
  for (let round = 0; round < 3; round++) {
    world = nextWorld(world, made, { agents: proveAll(world, made) });
    made = planned(world);
  }
  return { world, made };
}

/** The next world, in which the successor says this. */
function after({ world, made }: { world: World; made: Plan }, told: Told): typeof result {
  const [lane] = made.lanes.values();
  const { id, order } = present(lane, "there is a lane");
  const name = laneName(id);
  const nowMs = world.nowMs + 1000;
  const agents = proveAll({ ...world, nowMs }, made).map((view) => {
    if (view.report === undefined) return view;
    if (view.name === order[0]) {
      const instead = { name, state: told.instead ?? "absent" };
      const lanes = told.holds === false ? [instead] : view.report.lanes;
      const heardAtMs = nowMs + (told.heardAfterMs ?? 100);
      return { ...view, heardAtMs, report: { ...view.report, lanes }, ...told.holder };
    }
    const laneSinceMs = new Map([[name, nowMs - (told.listenedForMs ?? LISTENED_MS)]]);
    const silent = { ...view.report, hearing: [] };
    if (told.hearing === undefined) return { ...view, laneSinceMs, report: silent };
    const said = { lane: name, state: told.hearing, ...(told.of ? { holder: told.of } : {}) };
    const report = { ...view.report, hearing: [said] };
    const unheard = told.hearing === "unheard" ? { unheardSinceMs: new Map([[name, nowMs]]) } : {};
    return { ...view, report, laneSinceMs, ...unheard };
  });
  const next = nextWorld(world, made, { agents, nowMs });
  const result = { world: next, made: planned(next) };
  return result;
}

/** How the successor has the lane and its VIP: `runs`, `listens`, or neither. */
function successorOf({ made }: { made: Plan }): string {
  const [lane] = made.lanes.values();
  const { id, order } = present(lane, "there is a lane");
  const second = present(order[1], "there is a successor");
  const resources = made.nodePlans.get(second)?.resources;
  const resource = resources?.get(laneName(id));
  const vips = [...(resources?.values() ?? [])].filter(({ kind }) => kind === "vip").length;
  if (resource?.kind !== "lane") return `nothing ${vips}`;
  return `${resource.listens === true ? "listens" : "runs"} ${vips}`;
}

const out = (): ReturnType<typeof after> => after(served(), { hearing: "unheard" });

const cases: readonly {
  readonly name: string;
  readonly from: () => { world: World; made: Plan };
  readonly told: Told;
  readonly outcome: string;
}[] = [
  { name: "who hears runs it", from: served, told: { hearing: "heard" }, outcome: "runs 1" },
  { name: "of whom nothing is known runs it", from: served, told: {}, outcome: "runs 1" },
  {
    name: "who is unable to hear runs it",
    from: served,
    told: { hearing: "unable" },
    outcome: "runs 1",
  },
  {
    name: "who misses a holder that speaks leaves it, and listens",
    from: served,
    told: { hearing: "unheard" },
    outcome: "listens 0",
  },
  {
    name: "who misses a holder that said nothing since goes on",
    from: served,
    told: { hearing: "unheard", heardAfterMs: -1 },
    outcome: "runs 1",
  },
  {
    name: "who misses a holder that is out of reach goes on",
    from: served,
    told: { hearing: "unheard", holder: { connected: false, disconnectedAtMs: 0 } },
    outcome: "runs 1",
  },
  {
    name: "who misses a holder that holds it no more goes on",
    from: served,
    told: { hearing: "unheard", holds: false },
    outcome: "runs 1",
  },
  { name: "who left stays out", from: out, told: { hearing: "unheard" }, outcome: "listens 0" },
  {
    name: "who left stays out while the holder is out of reach and answers",
    from: out,
    told: { hearing: "unheard", holder: { connected: false, disconnectedAtMs: 0 } },
    outcome: "listens 0",
  },
  { name: "who left waits until it knows", from: out, told: {}, outcome: "listens 0" },
  { name: "who left and hears is back", from: out, told: { hearing: "heard" }, outcome: "runs 1" },
  {
    name: "who left is back when the holder gave it up",
    from: out,
    told: { hearing: "unheard", holds: false },
    outcome: "runs 1",
  },
  {
    name: "who left is back when the holder is gone, and its host does not answer",
    from: out,
    told: { holder: { connected: false, disconnectedAtMs: 0 } },
    outcome: "runs 1",
  },
  {
    name: "who has not listened for long enough to know that the holder is gone waits",
    from: out,
    told: {
      listenedForMs: LISTENED_MS - 1,
      holder: { connected: false, disconnectedAtMs: 0 },
    },
    outcome: "listens 0",
  },
];
for (const { name, from, told, outcome } of cases) {
  test(name, () => assert.equal(successorOf(after(from(), told)), outcome));
}

test("who has just begun to listen waits where the holder gave the lane up: another may have it", () => {
  const told = { hearing: "unheard", holds: false } as const;
  const waits = after(out(), { ...told, listenedForMs: LISTENED_MS - 1 });
  assert.equal(successorOf(waits), "listens 0");
  assert.equal(successorOf(after(out(), told)), "runs 1");
});

test("who listens waits while the holder of before stands by: it hears somebody, who is out of sight", () => {
  const waits = after(out(), { hearing: "unheard", holds: false, instead: "successor" });
  assert.equal(successorOf(waits), "listens 0");
  const faulty = after(out(), { hearing: "unheard", holds: false, instead: "fault" });
  assert.equal(successorOf(faulty), "runs 1");
});

test("what an agent heard of another holder says nothing of the one that there is now", () => {
  const [lane] = served().made.lanes.values();
  const [one, other] = present(lane, "there is a lane").order;
  const [first, second] = [present(one, "the holder"), present(other, "its successor")];
  assert.equal(successorOf(after(served(), { hearing: "unheard", of: first })), "listens 0");
  assert.equal(successorOf(after(served(), { hearing: "unheard", of: second })), "runs 1");
  assert.equal(successorOf(after(out(), { hearing: "heard", of: second })), "listens 0");
  assert.equal(successorOf(after(out(), { hearing: "heard", of: first })), "runs 1");
});

test("a deaf agent stays out when a new leader has its hello alone, and its holder is late", () => {
  const left = after(out(), { hearing: "unheard" });
  const [lane] = left.made.lanes.values();
  const deaf = present(left.world.agents.get(present(lane?.order[1], "a successor")), "is known");
  const { report, laneSinceMs: _since, ...hello } = { ...deaf, heldSinceMs: new Map() };
  const come = (agent: AgentView): string => {
    const world = nextWorld(left.world, left.made, { agents: [agent] });
    return successorOf({ made: planned(world) });
  };
  assert.equal(come(hello), "listens 0");
  const { hearing, ...rest } = present(report, "it reported");
  assert.deepEqual(
    hearing?.map(({ state }) => state),
    ["unheard"],
  );
  assert.equal(come(deaf), "listens 0", "it goes on saying that its holder answers");
  const silent = { ...deaf, report: rest };
  assert.equal(come(silent), "runs 1", "its holder does not answer any more");
  const { laneSinceMs: _, ...early } = silent;
  assert.equal(come(early), "listens 0", "it has not listened yet");
});

test("it is told of the agent and of the address, and ends with it", () => {
  const left = out();
  assert.deepEqual(
    left.made.findings.map(({ reason }) => reason),
    ["PeersUnheard"],
  );
  const verdict = findVerdict(left.made, "web");
  assert.equal(verdict.state, "ready");
  assert.deepEqual(
    verdict.remarks.map(({ reason }) => reason),
    ["PeersUnheard"],
  );
  const back = after(left, { hearing: "heard" });
  assert.deepEqual(back.made.findings, []);
  assert.deepEqual(findVerdict(back.made, "web").remarks, []);
});

test("nothing is dropped where the holder was not told yet of who does not hear it", () => {
  const left = out();
  const [lane] = left.made.lanes.values();
  const { id, order } = present(lane, "there is a lane");
  const agents = [...left.world.agents.values()].map((view): AgentView => {
    if (view.name !== order[0] || view.report === undefined) return view;
    const lanes = view.report.lanes.map((one) => ({
      ...one,
      order: (one.order ?? []).filter(
        ({ agent }) => one.name !== laneName(id) || agent === view.name,
      ),
    }));
    return { ...view, report: { ...view.report, lanes } };
  });
  const made = planned(nextWorld(left.world, left.made, { agents }));
  assert.deepEqual(made.findings, []);
  assert.deepEqual(findVerdict(made, "web").remarks, []);
});

test("an agent that does not tell what it hears is never put out", () => {
  const world = served(makeAgents(2));
  assert.equal(successorOf(after(world, {})), "runs 1");
});
