// What operators may ask of lanes: moves, drains, rebalances and that nothing moves; and who gives
// a lane up that two hold. Agents answer each plan as hosts would.

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  type AgentName,
  type AgentView,
  type Intent,
  type Lane,
  type LaneResource,
  type Plan,
  type World,
  laneName,
} from "@fairlead/model";
import {
  agentName,
  makeAgents,
  makeClaim,
  makePool,
  makeRevisionOf,
  makeWorld,
  nextWorld,
  proveAll,
} from "@fairlead/testkit";

import { MOVE_MS_MAX, RIVAL_MS, YIELD_MS, plan } from "./index.ts";

const revisionOf = makeRevisionOf();
const planned = (world: World): Plan => plan(world, { revisionOf });

/** A world whose plan is served, with its plan. */
interface Served {
  readonly world: World;
  readonly last: Plan;
}

function serve(services: number, agents = 3): Served {
  const claims = Array.from({ length: services }, (_, i) => makeClaim(`svc-${i}`));
  const pools = [makePool("default", "192.0.2.100-192.0.2.199")];
  const world = makeWorld({ claims, pools, agents: makeAgents(agents) });
  return answered({ world, last: planned(world) });
}

/** Agents apply the plan: the first living one of each lane holds it. */
function answered({ world, last }: Served, dead: readonly string[] = []): Served {
  const next = nextWorld(world, last, { agents: proveAll(world, last, { dead }) });
  return { world: next, last: planned(next) };
}

function ask({ world, last }: Served, ...intents: readonly Intent[]): Served {
  const next = nextWorld(world, last, { intents: [...last.intents, ...intents] });
  return { world: next, last: planned(next) };
}

function take({ world, last }: Served, kind: Intent["kind"]): Served {
  const intents = last.intents.filter((intent) => intent.kind !== kind);
  const next = nextWorld(world, last, { intents });
  return { world: next, last: planned(next) };
}

const drain = ({ world }: Served, name: string): Intent => {
  return { id: `drain-${name}`, sinceMs: world.nowMs, kind: "drain", agent: agentName(name) };
};
const plain = ({ world }: Served, kind: "freeze" | "rebalance"): Intent => {
  return { id: kind, sinceMs: world.nowMs, kind };
};
const lanesOf = ({ last }: Served): readonly Lane[] => [...last.lanes.values()];

function laneOn({ last }: Served, lane: Lane, agent: AgentName): LaneResource | undefined {
  const resource = last.nodePlans.get(agent)?.resources.get(laneName(lane.id));
  return resource?.kind === "lane" ? resource : undefined;
}

function heldBy(served: Served, agent: string): number {
  return lanesOf(served).filter(({ holder }) => holder === agent).length;
}

function only(served: Served): { readonly lane: Lane; readonly order: readonly AgentName[] } {
  const [lane] = lanesOf(served);
  assert.ok(lane !== undefined);
  return { lane, order: lane.order };
}

test("a move preempts until its target holds the lane, and is over then", () => {
  const before = serve(1);
  const { lane, order } = only(before);
  const [first, second, third] = order;
  assert.ok(first !== undefined && second !== undefined && third !== undefined);
  const { nowMs: sinceMs } = before.world;
  const moving = ask(before, { id: "m", sinceMs, kind: "move", lane: lane.id, to: third });
  assert.deepEqual(only(moving).order, [third, first, second]);
  const resource = laneOn(moving, lane, third);
  assert.deepEqual([resource?.preempt, resource?.intentId, resource?.holder], [true, "m", first]);
  const after = answered(moving);
  assert.deepEqual(only(after).order, [third, first, second]);
  assert.equal(only(after).lane.holder, third);
  assert.deepEqual(after.last.intents, []);
  assert.equal(laneOn(after, lane, third)?.preempt, false);
});

test("a move that is not made is given up, and the order follows who holds the lane", () => {
  const before = serve(1);
  const { lane, order } = only(before);
  const [first, second, to] = order;
  assert.ok(first !== undefined && second !== undefined && to !== undefined);
  const { nowMs: sinceMs } = before.world;
  const moving = ask(before, { id: "m", sinceMs, kind: "move", lane: lane.id, to });
  const late = (ms: number): Plan =>
    planned(nextWorld(moving.world, moving.last, { nowMs: sinceMs + ms }));
  assert.equal(late(MOVE_MS_MAX - 1).intents.length, 1);
  const over = late(MOVE_MS_MAX);
  assert.deepEqual(over.intents, []);
  assert.deepEqual(over.lanes.get(lane.id)?.order, [first, to, second]);
});

test("a drained agent gives all its lanes to successors, and takes none back", () => {
  const before = serve(60);
  const own = lanesOf(before).filter(({ holder }) => holder === "lb-1");
  assert.ok(own.length > 1);
  const leaving = ask(before, drain(before, "lb-1"));
  for (const lane of own) {
    const [to] = leaving.last.lanes.get(lane.id)?.order ?? [];
    assert.ok(to !== undefined && to !== "lb-1");
    const resource = laneOn(leaving, lane, to);
    assert.deepEqual([resource?.preempt, resource?.intentId], [true, "drain-lb-1"]);
  }
  const gone = answered(leaving);
  assert.equal(heldBy(gone, "lb-1"), 0);
  for (const { order } of lanesOf(gone)) assert.equal(order.at(-1), "lb-1");
  const grown = nextWorld(gone.world, gone.last, {
    claims: [...gone.world.claims.values(), makeClaim("new")],
  });
  for (const lane of planned(grown).lanes.values()) assert.notEqual(lane.order[0], "lb-1");
  const back = answered(take(gone, "drain"));
  assert.equal(heldBy(back, "lb-1"), 0, "uncordon moves nothing by itself");
});

test("the last agent that can hold a lane keeps it, drained or not", () => {
  const alone = serve(3, 1);
  const drained = answered(ask(alone, drain(alone, "lb-1")));
  assert.equal(heldBy(drained, "lb-1"), lanesOf(drained).length);
  const two = serve(1, 2);
  const [first, second] = only(two).order;
  assert.ok(first !== undefined && second !== undefined);
  const leaving = answered(ask(two, drain(two, first)));
  assert.equal(only(leaving).lane.holder, second);
  const lost = answered(leaving, [second]);
  assert.equal(only(lost).lane.holder, first, "it holds the lane while nobody else is there");
  const agents = Array.from(lost.world.agents.values(), (agent): AgentView => {
    const { disconnectedAtMs: _, ...rest } = agent;
    if (agent.name !== second || agent.report === undefined) return agent;
    const lanes = agent.report.lanes.map((one) => ({ ...one, state: "successor" as const }));
    return { ...rest, connected: true, report: { ...agent.report, lanes } };
  });
  const next = nextWorld(lost.world, lost.last, { agents });
  assert.equal(only({ world: next, last: planned(next) }).order[0], second, "and gives it back");
});

test("while all is frozen nothing moves, and the order still follows the real holder", () => {
  const before = serve(30);
  const frozen = ask(before, plain(before, "freeze"), drain(before, "lb-1"));
  const asked = ask(frozen, plain(frozen, "rebalance"));
  assert.deepEqual(asked.last.lanes, before.last.lanes);
  assert.equal(asked.last.intents.length, 3);
  const failed = answered(asked, ["lb-2"]);
  for (const { order, holder } of lanesOf(failed)) {
    assert.notEqual(holder, "lb-2");
    assert.equal(order[0], holder);
  }
  const thawed = answered(take(failed, "freeze"), ["lb-2"]);
  assert.equal(heldBy(thawed, "lb-1"), 0, "then it goes on");
});

test("a rebalance moves one lane at a time until no move helps", () => {
  let served = answered(serve(60), ["lb-1"]);
  assert.equal(heldBy(served, "lb-1"), 0);
  const agents = Array.from(served.world.agents.values(), (agent): AgentView => {
    const { disconnectedAtMs: _, ...rest } = agent;
    if (agent.report === undefined) return agent;
    const held = (name: string): boolean =>
      lanesOf(served).some(({ id, holder }) => laneName(id) === name && holder === agent.name);
    const lanes = agent.report.lanes.map(({ name }) => {
      return { name, state: held(name) ? ("holder" as const) : ("successor" as const) };
    });
    return { ...rest, connected: true, report: { ...agent.report, lanes } };
  });
  const world = nextWorld(served.world, served.last, { agents });
  served = { world, last: planned(world) };
  served = ask(served, plain(served, "rebalance"));
  let moves = 0;
  while (served.last.intents.length > 0 && moves < 30) {
    const asked = served.last.intents.filter(({ kind }) => kind === "move");
    assert.equal(asked.length, 1);
    const before = served.last.lanes;
    served = answered(served);
    const moved = lanesOf(served).filter(({ id, holder }) => before.get(id)?.holder !== holder);
    assert.equal(moved.length, 1);
    moves += 1;
  }
  assert.ok(moves > 1);
  const load = (agent: string): number => {
    const rows = [...served.last.leases.values()];
    return rows.filter(({ placement }) => {
      const lane = placement.kind === "lane" ? served.last.lanes.get(placement.lane) : undefined;
      return lane?.holder === agent;
    }).length;
  };
  for (const agent of ["lb-1", "lb-2", "lb-3"]) {
    assert.ok(load(agent) >= 12 && load(agent) <= 28, `${agent} has ${load(agent)}`);
  }
});

test("a rebalance of what is even ends at once", () => {
  const one = serve(1);
  assert.deepEqual(ask(one, plain(one, "rebalance")).last.intents, []);
});

test("of two that hold a lane the lower in order is to yield, once both say so for a while", () => {
  const before = serve(1);
  const { lane, order } = only(before);
  const [first, second] = order;
  assert.ok(first !== undefined && second !== undefined);
  const { nowMs } = before.world;
  const rivals = proveAll(before.world, before.last, { dead: [first], atMs: nowMs + 500 });
  const both = (heardAtMs: number): Served => {
    const agents = rivals.map((agent): AgentView => {
      const known = before.world.agents.get(agent.name);
      return agent.name === first && known !== undefined ? { ...known, heardAtMs } : agent;
    });
    const world = nextWorld(before.world, before.last, { agents, nowMs: nowMs + 1100 });
    return { world, last: planned(world) };
  };
  const takeover = both(nowMs);
  assert.equal(laneOn(takeover, lane, second)?.yields, undefined);
  // The first one's keepalived froze, and its agent ends it a moment after this word.
  const frozen = both(nowMs + 500 + RIVAL_MS - 1);
  assert.equal(laneOn(frozen, lane, second)?.yields, undefined, "it is the only one that serves");
  const split = both(nowMs + 500 + RIVAL_MS);
  assert.deepEqual(
    order.map((agent) => laneOn(split, lane, agent)?.yields),
    [undefined, true, undefined],
  );
  // It gives the lane up, and may hold it again after a while, or when the other one is lost.
  const told = (ms: number, dead: readonly string[] = []): boolean => {
    const { nowMs: toldMs } = split.world;
    const agents = proveAll(split.world, split.last, { dead, atMs: toldMs + 1 });
    const next = nextWorld(split.world, split.last, { agents, nowMs: toldMs + ms });
    const served: Served = { world: next, last: planned(next) };
    return laneOn(served, lane, second)?.yields === true;
  };
  assert.deepEqual([told(1), told(YIELD_MS - 1), told(YIELD_MS)], [true, true, false]);
  assert.equal(told(1, [first]), false);
  // A clock that was set back makes the while no longer.
  assert.equal(told(-YIELD_MS), false);
});

test("the holder of a lane that two hold is drained: it was told to give it up as the other was", () => {
  const before = serve(1);
  const { lane, order } = only(before);
  const [first, second] = order;
  assert.ok(first !== undefined && second !== undefined);
  const { nowMs } = before.world;
  const agents = proveAll(before.world, before.last, { dead: [first], atMs: nowMs + 500 }).map(
    (agent): AgentView => {
      const known = before.world.agents.get(agent.name);
      return agent.name === first && known !== undefined
        ? { ...known, heardAtMs: nowMs + 500 + RIVAL_MS }
        : agent;
    },
  );
  const world = nextWorld(before.world, before.last, { agents, nowMs: nowMs + 1100 });
  const split: Served = { world, last: planned(world) };
  const told = (served: Served): readonly AgentName[] =>
    order.filter((agent) => laneOn(served, lane, agent)?.yields === true);
  assert.deepEqual(told(split), [second]);
  const drained = ask(split, drain(split, first));
  assert.deepEqual(only(drained).order, [order[2], second, first]);
  assert.deepEqual(told(drained), [second], "one is left that holds it until the third one does");
  // The first one is gone: of those who are told already the first in order may go on.
  const left = Array.from(drained.world.agents.values(), (agent): AgentView =>
    agent.name === first ? { ...agent, connected: false } : agent,
  );
  const gone = nextWorld(drained.world, drained.last, { agents: left });
  assert.deepEqual(told({ world: gone, last: planned(gone) }), []);
});

test("a drained host's agent is dead and its keepalived is not: a rebalance waited for it", () => {
  const before = serve(60);
  // The third host was away for a while, so that its lanes are the second one's.
  const agents = Array.from(before.world.agents.values(), (agent): AgentView => {
    if (agent.report === undefined) return agent;
    if (agent.name === "lb-1") {
      return { ...agent, connected: false, disconnectedAtMs: before.world.nowMs };
    }
    const holder = (name: string): string | undefined =>
      lanesOf(before).find(({ id }) => laneName(id) === name)?.holder;
    const lanes = agent.report.lanes.map((one) => {
      const isHeld = agent.name === "lb-2" && holder(one.name) !== "lb-1";
      return { ...one, state: isHeld ? ("holder" as const) : ("successor" as const) };
    });
    return { ...agent, report: { ...agent.report, lanes } };
  });
  const world = nextWorld(before.world, before.last, { agents });
  const uneven: Served = { world, last: planned(world) };
  assert.ok(heldBy(uneven, "lb-1") > 0 && heldBy(uneven, "lb-3") === 0);
  const drained = ask(uneven, drain(uneven, "lb-1"));
  const asked = ask(drained, plain(drained, "rebalance"));
  const moves = asked.last.intents.flatMap((one) => (one.kind === "move" ? [one.to] : []));
  assert.deepEqual(moves, ["lb-3"]);
});
