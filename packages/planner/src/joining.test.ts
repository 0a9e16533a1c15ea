// Who may run a lane that grows: a host that joined before those who hold it speak to it would hear
// nobody, and hold its VIPs a second time.

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  type AgentName,
  type AgentView,
  type Lane,
  type LanePeer,
  type LaneReport,
  type Plan,
  type ResourceName,
  type ResourceReport,
  type Revision,
  type World,
  laneName,
  present,
} from "@fairlead/model";
import {
  agentName,
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
const newcomer = agentName("lb-3");

/** A lane that two hosts run, and a third that has just come. */
function growing(): { readonly world: World; readonly grown: Plan } {
  const agents = makeAgents(3);
  const two = makeWorld({ claims: [makeClaim("web")], agents: agents.slice(0, 2) });
  const first = planned(two);
  const held = nextWorld(two, first, { agents: proveAll(two, first, { revisionOf }) });
  const settled = planned(held);
  const proved = proveAll(nextWorld(held, settled), settled, { revisionOf });
  const world = nextWorld(held, settled, { agents: [...proved, ...agents.slice(2)] });
  return { world, grown: planned(world) };
}

/** Kinds of what an agent shall have. */
function given(last: Plan, agent: AgentName): readonly string[] {
  return Array.from(last.nodePlans.get(agent)?.resources.values() ?? [], ({ kind }) => kind);
}

function proveOnly(names: readonly string[], world: World, last: Plan): readonly AgentView[] {
  const after = new Map(proveAll(world, last, { revisionOf }).map((one) => [one.name, one]));
  return Array.from(world.agents.values(), (agent) =>
    names.includes(agent.name) ? (after.get(agent.name) ?? agent) : agent,
  );
}

test("a host that joins a lane is a peer at once, and runs it when it is spoken to", () => {
  const { world, grown } = growing();
  const [lane] = grown.lanes.values();
  assert.equal(lane?.order.indexOf(newcomer), 2);
  assert.deepEqual(given(grown, newcomer), []);
  const [row] = grown.leases.values();
  assert.deepEqual(row?.sentTo, ["lb-1", "lb-2"]);

  const half = nextWorld(world, grown, { agents: proveOnly(["lb-1"], world, grown) });
  assert.deepEqual(given(planned(half), newcomer), [], "one of two speaks to it");

  const both = nextWorld(world, grown, { agents: proveOnly(["lb-1", "lb-2"], world, grown) });
  const joined = planned(both);
  assert.ok(given(joined, newcomer).includes("lane"));
  assert.ok(given(joined, newcomer).includes("vip"));
});

test("after a new start of the controller a host joins when who did not come yet is in doubt", () => {
  const { world, grown } = growing();
  const spoken = nextWorld(world, grown, {
    agents: proveOnly(["lb-1", "lb-2"], world, grown).filter(({ name }) => name !== "lb-1"),
  });
  const [lane] = grown.lanes.values();
  assert.equal(lane?.holder, "lb-2");
  const heard = { ...spoken, heardSinceMs: spoken.nowMs };
  assert.deepEqual(given(planned(heard), newcomer), [], "lb-1 may be well, and hold it later");
  const later = { ...heard, nowMs: heard.nowMs + 70_000 };
  assert.ok(given(planned(later), newcomer).includes("lane"));
});

test("a host that joined goes on running the lane before it has reported it", () => {
  const { world, grown } = growing();
  const both = nextWorld(world, grown, { agents: proveOnly(["lb-1", "lb-2"], world, grown) });
  const joined = planned(both);
  const deaf = nextWorld(both, joined, { agents: [...world.agents.values()] });
  assert.ok(given(planned(deaf), newcomer).includes("lane"), "its rows say that it was sent them");
});

test("who stands by and is out of reach is waited for by a host that joins, but not for ever", () => {
  const { world, grown } = growing();
  const [lane] = grown.lanes.values();
  const away = lane?.order.find((name) => name !== lane.holder && name !== newcomer);
  const here = present(lane?.holder, "somebody holds it");
  const agents = proveOnly([here], world, grown).map((agent): AgentView =>
    agent.name === away ? { ...agent, connected: false, disconnectedAtMs: world.nowMs } : agent,
  );
  const after = (ms: number): Plan =>
    planned(nextWorld(world, grown, { agents, nowMs: world.nowMs + ms }));
  assert.deepEqual(given(after(60_000), newcomer), [], "it may be well, and not know of it");
  assert.ok(given(after(68_000), newcomer).includes("lane"));
});

test("a host that can hear listens first where the holder of its lane went out of reach", () => {
  const { world, grown } = growing();
  const [lane] = grown.lanes.values();
  const { id, holder } = present(lane, "the lane");
  const agents = proveOnly(["lb-1", "lb-2"], world, grown).map((agent): AgentView => {
    if (agent.name === holder) {
      return { ...agent, connected: false, disconnectedAtMs: world.nowMs };
    }
    return agent.name === newcomer ? withHearing(agent) : agent;
  });
  const lost = nextWorld(world, grown, { agents });
  const waiting = planned(lost);
  assert.deepEqual(
    given(waiting, newcomer),
    ["lane"],
    "its holder may be well, and not know of it",
  );

  const name = laneName(id);
  const after = (ms: number, heardMs = ms): Plan => {
    const laneSinceMs = new Map([[name, lost.nowMs]]);
    const heardAtMs = lost.nowMs + heardMs;
    const listening = agents.map((agent): AgentView =>
      agent.name === newcomer ? { ...agent, laneSinceMs, heardAtMs } : agent,
    );
    return planned(nextWorld(lost, waiting, { agents: listening, nowMs: lost.nowMs + ms }));
  };
  assert.deepEqual(given(after(6399), newcomer), ["lane"]);
  assert.deepEqual(given(after(8000, 6399), newcomer), ["lane"], "its word may be on its way");
  assert.ok(given(after(6400), newcomer).includes("vip"), "it said nothing of a host that answers");
});

test("those who run the lane speak to a newcomer by the lane's newest revision, and applied", () => {
  const { world, grown } = growing();
  const proved = proveOnly(["lb-1", "lb-2"], world, grown);
  const name = laneName(present([...grown.lanes.values()][0], "the lane").id);
  const before = new Map(world.agents);
  const spoilt: readonly (readonly [string, (row: ResourceReport) => ResourceReport])[] = [
    ["is only checked", (row) => ({ ...row, step: "validated" })],
    [
      "is an older one",
      (row) => ({ ...row, revision: oldRevision(before.get(agentName("lb-2")), row) }),
    ],
  ];
  for (const [what, spoil] of spoilt) {
    const agents = proved.map((agent) =>
      agent.name === "lb-2" ? withRow(agent, name, spoil) : agent,
    );
    const next = planned(nextWorld(world, grown, { agents }));
    assert.deepEqual(given(next, newcomer), [], `the lane of lb-2 ${what}`);
  }
  const good = nextWorld(world, grown, { agents: proved });
  assert.ok(given(planned(good), newcomer).includes("lane"));
});

test("a host that only listens in a lane joins it anew, whatever it was sent before", () => {
  const { world, grown } = growing();
  const both = nextWorld(world, grown, { agents: proveOnly(["lb-1", "lb-2"], world, grown) });
  const joined = planned(both);
  const all = proveAll(both, joined, { revisionOf });
  const lane = present([...joined.lanes.values()][0], "the lane");
  assert.ok([...joined.leases.values()].every(({ sentTo }) => sentTo.includes(newcomer)));
  // It has the lane and does not run it, and one of the others has not the newest of it.
  const agents = all.map((agent) => {
    if (agent.name === newcomer) return withoutLanes(agent);
    return agent.name === "lb-2"
      ? withRow(agent, laneName(lane.id), (row) => ({ ...row, step: "validated" }))
      : agent;
  });
  assert.ok(!given(planned(nextWorld(both, joined, { agents })), newcomer).includes("vip"));
  const heard = all.map((agent) => (agent.name === newcomer ? withoutLanes(agent) : agent));
  const told = planned(nextWorld(both, joined, { agents: heard }));
  assert.ok(given(told, newcomer).includes("vip"));
});

test("a host whose old plan has the address in another lane waits until it is spoken to", () => {
  const { world, grown } = growing();
  const [holder] = proveOnly(["lb-1"], world, grown);
  const report = present(holder?.report, "it has reported");
  const vips = [...report.resources].filter(([name]) => name.startsWith("vip/"));
  const agents = Array.from(world.agents.values(), (agent) =>
    agent.name === newcomer
      ? { ...agent, report: { ...report, agent: newcomer, resources: new Map(vips), lanes: [] } }
      : agent,
  );
  let back = nextWorld(world, grown, { agents });
  for (const round of ["as it comes", "a plan later"]) {
    const next = planned(back);
    assert.ok(!given(next, newcomer).includes("vip"), round);
    back = nextWorld(back, next, { agents });
  }
});

test("a host that comes back with an old plan waits until who holds its lane speaks to it", () => {
  const { before, world, joined, lane, all } = grownUp();
  const [holder] = lane.order;
  // It was taken out of the lane while it was away, and runs it all the same.
  const alone = all.map((agent) => {
    if (agent.name !== holder) return agent;
    const old = withRow(agent, laneName(lane.id), (row) => {
      return { ...row, revision: oldRevision(before.agents.get(holder), row) };
    });
    return withLane(old, (one) => ({ ...one, order: one.order?.filter(isNoNewcomer) ?? [] }));
  });
  assert.ok(!given(planned(nextWorld(world, joined, { agents: alone })), newcomer).includes("vip"));
  const told = planned(nextWorld(world, joined, { agents: all }));
  assert.ok(given(told, newcomer).includes("vip"));
});

test("a host that starts beside a holder that starts waits until that one runs its newest", () => {
  const { world, joined, lane, all } = grownUp();
  const [holder] = lane.order;
  const name = laneName(lane.id);
  const starting = (state: LaneReport["state"]): Plan => {
    const agents = all.map((agent) => {
      if (agent.name === holder) {
        return withRow(agent, name, (row) => ({ ...row, step: "received" }));
      }
      return agent.name === newcomer ? withLane(agent, (one) => ({ ...one, state })) : agent;
    });
    return planned(nextWorld(world, joined, { agents }));
  };
  assert.ok(!given(starting("absent"), newcomer).includes("vip"), "its keepalived starts");
  assert.ok(given(starting("successor"), newcomer).includes("vip"), "it was spoken to before");
});

/** The three of them run the lane; `before`: two did. */
function grownUp(): {
  readonly before: World;
  readonly world: World;
  readonly joined: Plan;
  readonly lane: Lane;
  readonly all: readonly AgentView[];
} {
  const { world, grown } = growing();
  const both = nextWorld(world, grown, { agents: proveOnly(["lb-1", "lb-2"], world, grown) });
  const joined = planned(both);
  const lane = present([...joined.lanes.values()][0], "the lane");
  assert.equal(lane.holder, lane.order[0]);
  return { before: world, world: both, joined, lane, all: proveAll(both, joined, { revisionOf }) };
}

function isNoNewcomer({ agent }: LanePeer): boolean {
  return agent !== newcomer;
}

function withLane(agent: AgentView, change: (lane: LaneReport) => LaneReport): AgentView {
  const report = present(agent.report, "it has reported");
  return { ...agent, report: { ...report, lanes: report.lanes.map(change) } };
}

function withRow(
  agent: AgentView,
  name: ResourceName,
  change: (row: ResourceReport) => ResourceReport,
): AgentView {
  const report = present(agent.report, "it has reported");
  const row = present(report.resources.get(name), "it has the lane");
  return {
    ...agent,
    report: { ...report, resources: new Map(report.resources).set(name, change(row)) },
  };
}

function withoutLanes(agent: AgentView): AgentView {
  return { ...agent, report: { ...present(agent.report, "it has reported"), lanes: [] } };
}

/** What it had of the resource before. */
function oldRevision(agent: AgentView | undefined, { name, revision }: ResourceReport): Revision {
  const old = present(agent?.report?.resources.get(name), "it had the lane").revision;
  assert.notEqual(old, revision);
  return old;
}

test("all hosts of a lane that nobody has held start together", () => {
  const fresh = planned(makeWorld({ claims: [makeClaim("web")], agents: makeAgents(3) }));
  for (const { name } of makeAgents(3)) assert.ok(given(fresh, name).includes("lane"));
});

test("a host that comes while others are given a new lane waits until they speak to it", () => {
  const agents = makeAgents(3);
  const early = makeWorld({ claims: [makeClaim("web")], agents: agents.slice(0, 2) });
  const sent = planned(early);
  for (const { name } of agents.slice(0, 2)) assert.ok(given(sent, name).includes("lane"));

  // Nobody has reported the lane yet: those who were given it may hold it any moment.
  const world = nextWorld(early, sent, { agents });
  const grown = planned(world);
  const [lane] = grown.lanes.values();
  assert.equal(lane?.order.indexOf(newcomer), 2);
  assert.deepEqual(given(grown, newcomer), []);
  for (const { name } of agents.slice(0, 2)) assert.ok(given(grown, name).includes("vip"));

  const half = nextWorld(world, grown, { agents: proveOnly(["lb-1"], world, grown) });
  assert.deepEqual(given(planned(half), newcomer), [], "one of two speaks to it");
  // With the first word of who holds it the lane is another one, which they have to run too.
  const both = nextWorld(world, grown, { agents: proveOnly(["lb-1", "lb-2"], world, grown) });
  const held = planned(both);
  const told = nextWorld(both, held, { agents: proveOnly(["lb-1", "lb-2"], both, held) });
  assert.ok(given(planned(told), newcomer).includes("vip"));
});
