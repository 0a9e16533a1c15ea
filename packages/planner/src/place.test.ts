// Where VIPs go: which lanes are made, who masters them, and that nothing moves by itself.

import assert from "node:assert/strict";
import { test } from "node:test";

import type { AgentView, Lane, Plan, World } from "@fairlead/model";
import {
  agentName,
  device,
  findVerdict,
  makeAgent,
  makeAgents,
  makeClaim,
  makeLink,
  makePool,
  makeRevisionOf,
  makeWorld,
  nextWorld,
  proveAll,
  verdictLine,
} from "@fairlead/testkit";

import { plan } from "./index.ts";

const revisionOf = makeRevisionOf();
const planned = (world: World): Plan => plan(world, { revisionOf });
const claims = (count: number): ReturnType<typeof makeClaim>[] =>
  Array.from({ length: count }, (_, i) => makeClaim(`svc-${i}`));
const lanesOf = (last: Plan): readonly Lane[] => [...last.lanes.values()];

/** By agent, how many VIPs have it at this place of their lane. */
function loadAt(last: Plan, place: number): Readonly<Record<string, number>> {
  const load: Record<string, number> = {};
  for (const { placement } of last.leases.values()) {
    if (placement.kind !== "lane") continue;
    const agent = last.lanes.get(placement.lane)?.order[place];
    if (agent !== undefined) load[agent] = (load[agent] ?? 0) + 1;
  }
  return load;
}

test("three hosts share masters and successors evenly", () => {
  const last = planned(makeWorld({ claims: claims(90) }));
  for (const place of [0, 1, 2]) {
    const load = Object.values(loadAt(last, place));
    assert.equal(load.length, 3);
    for (const count of load) assert.ok(count >= 20 && count <= 40, `${place}: ${load.join(" ")}`);
  }
});

test("ten hosts share the VIPs of one that dies", () => {
  const world = makeWorld({
    claims: claims(1000),
    agents: Array.from({ length: 10 }, (_, i) =>
      makeAgent(`lb-${i}`, { prefixes: [`10.0.0.${i + 1}/8`] }),
    ),
    pools: [makePool("default", "10.64.0.0/16")],
  });
  const last = planned(world);
  const masters = Object.values(loadAt(last, 0));
  assert.equal(masters.length, 10);
  assert.ok(Math.max(...masters) <= 126, `masters: ${masters.join(" ")}`);
  const dying = agentName("lb-3");
  const heirs = new Set(
    lanesOf(last)
      .filter((lane) => lane.order[0] === dying)
      .map((lane) => lane.order[1]),
  );
  assert.ok(heirs.size >= 6, `${heirs.size} heirs`);
});

test("one host alone holds everything, and successors are appended when they come", () => {
  const [first, second, third] = makeAgents(3);
  assert.ok(first !== undefined && second !== undefined && third !== undefined);
  const alone = makeWorld({ claims: claims(5), agents: [first] });
  const one = planned(alone);
  assert.deepEqual(
    lanesOf(one).map(({ order }) => order),
    [["lb-1"]],
  );
  const joined = nextWorld(alone, one, { agents: [first, second] });
  const two = planned(joined);
  assert.deepEqual(
    lanesOf(two).map(({ order }) => order),
    [["lb-1", "lb-2"]],
  );
  let world = nextWorld(joined, two, { agents: [first, second, third] });
  let three = planned(world);
  assert.deepEqual(
    lanesOf(three).map(({ order }) => order),
    [["lb-1", "lb-2", "lb-3"]],
  );
  for (const row of three.leases.values()) assert.deepEqual(row.sentTo, ["lb-1"]);
  // They run it once its holder speaks to them, and that it holds it is another lane once more.
  for (let round = 0; round < 2; round++) {
    world = nextWorld(world, three, { agents: proveAll(world, three) });
    three = planned(world);
  }
  for (const row of three.leases.values()) assert.deepEqual(row.sentTo, ["lb-1", "lb-2", "lb-3"]);
});

test("no host joins a lane whose holder may be one that cannot be told of it", () => {
  const [first, second, third] = makeAgents(3);
  assert.ok(first !== undefined && second !== undefined && third !== undefined);
  const two = makeWorld({ claims: claims(1), agents: [first, second] });
  const one = planned(two);
  const [lane] = lanesOf(one);
  const [holder = "", other = ""] = lane?.order ?? [];
  const deaf = (agent: AgentView): AgentView => ({
    ...agent,
    connected: false,
    disconnectedAtMs: 1,
  });
  const without = (name: string): readonly AgentView[] => [
    ...proveAll(two, one).map((agent) => (agent.name === name ? deaf(agent) : agent)),
    third,
  ];
  const grown = (agents: readonly AgentView[]): readonly string[] =>
    lanesOf(planned(nextWorld(two, one, { agents }))).flatMap(({ order }) => order);
  assert.deepEqual(grown(without(holder)), lane?.order, "the holder is out of reach");
  assert.deepEqual(grown([first, deaf(second), third]), lane?.order, "nobody says that it holds");
  assert.deepEqual(grown(without(other)), [holder, other, "lb-3"], "the holder is told");
});

test("a fourth host moves nothing", () => {
  const world = makeWorld({ claims: claims(20) });
  const first = planned(world);
  const second = planned(nextWorld(world, first, { agents: makeAgents(4) }));
  assert.deepEqual(second.lanes, first.lanes);
  assert.deepEqual(second.leases, first.leases);
});

test("a host that is out of reach masters no new lane and stays in its old ones", () => {
  const world = makeWorld({ claims: claims(6) });
  const first = planned(world);
  const agents = makeAgents(3).map((agent): AgentView =>
    agent.name === "lb-1" ? { ...agent, connected: false, disconnectedAtMs: 1 } : agent,
  );
  const more = nextWorld(world, first, { agents, claims: [...claims(6), makeClaim("new")] });
  const second = planned(more);
  for (const [id, lane] of first.lanes) assert.deepEqual(second.lanes.get(id), lane);
  const [address] = findVerdict(second, "new").addresses;
  const placement =
    address === undefined ? undefined : second.leases.get(address.address)?.placement;
  assert.ok(placement?.kind === "lane");
  assert.notEqual(second.lanes.get(placement.lane)?.order[0], "lb-1");
});

interface Story {
  readonly name: string;
  readonly agents: readonly AgentView[];
  readonly pool?: ReturnType<typeof makePool>;
  /** Verdict, and the segment of the lane. */
  readonly expect: readonly [string, string | undefined];
}

const stories: readonly Story[] = [
  { name: "no agent", agents: [], expect: ["pending 192.0.2.100 NoAgents", undefined] },
  {
    name: "agents of other networks, none of them primary",
    agents: [makeAgent("a", { links: [makeLink("eth0", ["10.0.0.1/24"], { primary: false })] })],
    expect: ["pending 192.0.2.100 NoSegment", undefined],
  },
  {
    name: "an address of no network rides on the primary link, as routed addresses do",
    agents: [makeAgent("a", { prefixes: ["10.0.0.1/24"] })],
    expect: ["pending 192.0.2.100 WaitingForAgent", "10.0.0.0/24"],
  },
  {
    name: "two primary networks are a guess that is not made",
    agents: [
      makeAgent("a", { prefixes: ["10.0.0.1/24"] }),
      makeAgent("b", { prefixes: ["10.0.1.1/24"] }),
    ],
    expect: ["pending 192.0.2.100 NoSegment", undefined],
  },
  {
    name: "the pool's own device decides where no network does",
    agents: [
      makeAgent("a", {
        links: [makeLink("eth0", ["10.0.0.1/24"]), makeLink("eth1", ["10.9.0.1/24"])],
      }),
    ],
    pool: makePool("default", "192.0.2.100", { link: device("eth1") }),
    expect: ["pending 192.0.2.100 WaitingForAgent", "10.9.0.0/24"],
  },
  {
    name: "the longest network that holds the address wins",
    agents: [
      makeAgent("a", { prefixes: ["192.0.0.1/16"] }),
      makeAgent("b", { prefixes: ["192.0.2.2/24"] }),
    ],
    expect: ["pending 192.0.2.100 WaitingForAgent", "192.0.2.0/24"],
  },
  {
    name: "a link that is down carries nothing new",
    agents: [makeAgent("a", { links: [makeLink("eth0", ["192.0.2.1/24"], { up: false })] })],
    expect: ["pending 192.0.2.100 NoSegment", undefined],
  },
  {
    name: "a pool's agents are the only ones",
    agents: makeAgents(3),
    pool: makePool("default", "192.0.2.100", { agents: [agentName("lb-9")] }),
    expect: ["pending 192.0.2.100 NoAgents", undefined],
  },
];

for (const { name, agents, pool = makePool("default", "192.0.2.100"), expect } of stories) {
  test(name, () => {
    const last = planned(makeWorld({ agents, pools: [pool], claims: [makeClaim("web")] }));
    const [lane] = last.lanes.values();
    assert.deepEqual([verdictLine(last, "web"), lane?.segment], expect);
  });
}

test("IPv4 and IPv6 VIPs of one wire ride in the lanes of one segment", () => {
  const agents = makeAgents(3).map((agent, i) =>
    makeAgent(agent.name, { prefixes: [`192.0.2.${i + 11}/24`, `2001:db8::${i + 1}/64`] }),
  );
  const pools = [makePool("default", "192.0.2.100-192.0.2.101, 2001:db8::100-2001:db8::101")];
  const families = { policy: "RequireDualStack", families: [] } as const;
  const last = planned(makeWorld({ agents, pools, claims: [makeClaim("web", { families })] }));
  assert.deepEqual(new Set(lanesOf(last).map(({ segment }) => segment)), new Set(["192.0.2.0/24"]));
  assert.equal(new Set(lanesOf(last).map(({ routerId }) => routerId)).size, last.lanes.size);
});

test("pools with different agents never share a lane", () => {
  const pools = [
    makePool("any", "192.0.2.100-192.0.2.109"),
    makePool("two", "192.0.2.110-192.0.2.119", { agents: [agentName("lb-1"), agentName("lb-2")] }),
  ];
  const wishing = [
    ...claims(10),
    ...Array.from({ length: 5 }, (_, i) => makeClaim(`two-${i}`, { wishedPool: "two" })),
  ];
  const last = planned(makeWorld({ pools, claims: wishing }));
  for (const row of last.leases.values()) {
    assert.ok(row.placement.kind === "lane");
    const order = last.lanes.get(row.placement.lane)?.order ?? [];
    assert.equal(order.includes(agentName("lb-3")), row.pool === "any", row.address);
  }
});

test("the reports say who holds a lane, and that settles it and leads its order", () => {
  const world = makeWorld({ claims: claims(1) });
  const first = planned(world);
  const [before] = lanesOf(first);
  assert.equal(before?.settled, false);
  const dead = [before.order[0] ?? ""];
  const second = planned(nextWorld(world, first, { agents: proveAll(world, first, { dead }) }));
  const [after] = lanesOf(second);
  assert.equal(after?.settled, true);
  const [lost, heir, ...others] = before.order;
  assert.equal(after.holder, heir);
  assert.deepEqual(after.order, [heir, lost, ...others]);
});

test("a move puts its target first and is the only thing that preempts", () => {
  const world = makeWorld({ claims: claims(1) });
  const first = planned(world);
  const served = nextWorld(world, first, { agents: proveAll(world, first) });
  const [lane] = lanesOf(planned(served));
  const to = lane?.order[2];
  assert.ok(lane !== undefined && to !== undefined);
  const { nowMs: sinceMs } = world;
  const intents = [{ id: "m1", sinceMs, kind: "move", lane: lane.id, to } as const];
  const last = planned(nextWorld(served, planned(served), { intents }));
  assert.deepEqual(lanesOf(last)[0]?.order, [to, lane.order[0], lane.order[1]]);
  const resource = [...(last.nodePlans.get(to)?.resources.values() ?? [])].find(
    (one) => one.kind === "lane",
  );
  assert.deepEqual([resource?.preempt, resource?.intentId], [true, "m1"]);
});
