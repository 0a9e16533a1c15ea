// What a store that was lost, or is an older copy, costs: nobody's address.

import assert from "node:assert/strict";
import { test } from "node:test";

import { type Claim, type Plan, type World, vipName } from "@fairlead/model";
import {
  address,
  findVerdict,
  makeAgent,
  makeAgents,
  makeClaim,
  makePool,
  makeRanges,
  makeRevisionOf,
  makeWorld,
  nextWorld,
  proveAll,
  verdictLine,
} from "@fairlead/testkit";

import { createPlanMemory, plan } from "./index.ts";

const revisionOf = makeRevisionOf();
const planned = (world: World): Plan => plan(world, { revisionOf });

function holding(
  name: string,
  at: readonly string[],
  more: Parameters<typeof makeClaim>[1] = {},
): Claim {
  return makeClaim(name, { ...more, statusAddresses: at.map(address) });
}

interface Case {
  readonly name: string;
  readonly claims: readonly Claim[];
  readonly pools?: World["pools"];
  readonly expect: Readonly<Record<string, string>>;
}

const WAITING = "WaitingForAgent";
const cases: readonly Case[] = [
  {
    name: "with an empty store the status says who has which address, before anybody is served",
    claims: [makeClaim("early", { createdAtMs: 1 }), holding("late", ["192.0.2.100"])],
    expect: { late: `ready 192.0.2.100 ${WAITING}`, early: `pending 192.0.2.101 ${WAITING}` },
  },
  {
    name: "an adopted address goes before a wish for it",
    claims: [
      makeClaim("wish", { createdAtMs: 1, wishes: ["192.0.2.105"] }),
      holding("owner", ["192.0.2.105"]),
    ],
    expect: { owner: `ready 192.0.2.105 ${WAITING}`, wish: "refused AddressTaken" },
  },
  {
    name: "of two statuses with one address the older Service's counts",
    claims: [
      holding("a", ["192.0.2.105"], { createdAtMs: 2 }),
      holding("b", ["192.0.2.105"], { createdAtMs: 1 }),
    ],
    expect: { b: `ready 192.0.2.105 ${WAITING}`, a: `pending 192.0.2.100 ${WAITING}` },
  },
  {
    name: "those that shared an address share it again",
    claims: [
      holding("a", ["192.0.2.105"], { sharingKey: "k" }),
      holding("b", ["192.0.2.105"], { sharingKey: "k", ports: ["udp/53"] }),
    ],
    expect: { a: `ready 192.0.2.105 ${WAITING}`, b: `ready 192.0.2.105 ${WAITING}` },
  },
  {
    name: "an address that lies in no pool is not adopted",
    claims: [holding("a", ["203.0.113.9"])],
    expect: { a: `pending 192.0.2.100 ${WAITING}` },
  },
  {
    name: "a pool that does not serve the namespace adopts nothing for it",
    claims: [holding("a", ["192.0.2.105"])],
    pools: [makePool("lan", "192.0.2.100-192.0.2.110", { namespaces: ["other"] })],
    expect: { a: "refused NoPool" },
  },
  {
    name: "an address that its pool reserves by now is not adopted",
    claims: [holding("a", ["192.0.2.105"])],
    pools: [makePool("lan", "192.0.2.100-192.0.2.110", { reserved: makeRanges("192.0.2.105") })],
    expect: { a: `pending 192.0.2.100 ${WAITING}` },
  },
  {
    name: "both families are adopted",
    claims: [
      holding("a", ["192.0.2.105", "2001:db8::105"], {
        families: { policy: "PreferDualStack", families: [] },
      }),
    ],
    pools: [makePool("lan", "192.0.2.100-192.0.2.110, 2001:db8::100-2001:db8::110")],
    expect: { a: `ready 192.0.2.105 2001:db8::105 ${WAITING}` },
  },
  {
    name: "a Service that wishes for another address now keeps the old one until that serves",
    claims: [holding("a", ["192.0.2.105"], { wishes: ["192.0.2.107"] })],
    expect: { a: `ready 192.0.2.105 192.0.2.107 ${WAITING}` },
  },
];

for (const { name, claims, pools, expect } of cases) {
  test(name, () => {
    const last = planned(makeWorld({ claims, ...(pools === undefined ? {} : { pools }) }));
    const said = Object.keys(expect).map((claim) => [claim, verdictLine(last, claim)]);
    assert.deepEqual(Object.fromEntries(said), expect);
  });
}

test("what was adopted stays published while no agent has said anything", () => {
  const claims = [holding("a", ["192.0.2.105"])];
  const last = planned(makeWorld({ claims, agents: [] }));
  assert.equal(last.leases.get(address("192.0.2.105"))?.published, true);
  const later = planned(nextWorld(makeWorld({ claims, agents: [] }), last, {}));
  assert.equal(later.leases.get(address("192.0.2.105"))?.published, true);
});

test("what was adopted is withdrawn when all agents say that they do not have it", () => {
  const world = makeWorld({ claims: [holding("a", ["192.0.2.105"])] });
  const idle = proveAll(world, planned(makeWorld()));
  const last = planned({ ...world, agents: new Map(idle.map((agent) => [agent.name, agent])) });
  assert.equal(last.leases.get(address("192.0.2.105"))?.published, false);
});

test("an older store does not move who came after it: the address is waited for", () => {
  const gone = makeClaim("gone", { wishes: ["192.0.2.105"] });
  const before = makeWorld({ claims: [gone] });
  const stored = planned(before);
  const heir = holding("heir", ["192.0.2.105"]);
  const doubt = nextWorld(before, stored, { claims: [heir], absent: [gone] });
  const waiting = planned(doubt);
  assert.equal(verdictLine(waiting, "heir"), "pending 192.0.2.105 Releasing");
  const sure = nextWorld(doubt, waiting, { absent: [] });
  const draining = planned(sure);
  assert.equal(verdictLine(draining, "heir"), "pending 192.0.2.105 Releasing");
  const idle = planned(nextWorld(sure, draining, { agents: proveAll(sure, draining) }));
  assert.equal(verdictLine(idle, "heir"), `pending 192.0.2.105 ${WAITING}`);
});

test("an older store takes nothing from agents that it does not know to have an address", () => {
  const gone = makeClaim("gone", { wishes: ["192.0.2.105"] });
  const heir = holding("heir", ["192.0.2.105"]);
  const agents = makeAgents(2);
  const before = makeWorld({ claims: [gone], agents: agents.slice(0, 1) });
  const stored = planned(before);
  const since = makeWorld({ claims: [heir], agents });
  const serving = proveAll(since, planned(since), { revisionOf });
  const doubt = nextWorld(before, stored, { claims: [heir], absent: [gone], agents: serving });
  const { nodePlans } = planned(doubt);
  const retained = Array.from(nodePlans.values(), (one) => [one.agent, one.retained]);
  assert.deepEqual(
    retained,
    agents.map(({ name }) => [name, [address("192.0.2.105")]]),
  );
});

test("with an empty store a lane keeps an agent that is late: those who are here name it", () => {
  const claims = [makeClaim("web")];
  const agents = makeAgents(3);
  let world = makeWorld({ agents, claims });
  let before = planned(world);
  for (let round = 0; round < 3; round++) {
    world = nextWorld(world, before, { agents: proveAll(world, before, { revisionOf }) });
    before = planned(world);
  }
  const [lane] = before.lanes.values();
  const late = lane?.order[2];
  const here = [...world.agents.values()].filter(({ name }) => name !== late);
  assert.equal(here.length, 2);

  const found = planned(makeWorld({ agents: here, claims: [holding("web", ["192.0.2.100"])] }));
  const [again] = found.lanes.values();
  assert.deepEqual(again?.order, lane?.order);
  assert.deepEqual(again?.peers, lane?.peers, "and where it speaks from");
  for (const { name } of here) {
    const { resources } = found.nodePlans.get(name) ?? {};
    const run = [...(resources?.values() ?? [])].find(({ kind }) => kind === "lane");
    assert.equal(run?.kind === "lane" && run.order.length, 3, name);
  }
});

interface GoneCase {
  readonly name: string;
  /** Whether the other host is in reach. */
  readonly hasOther: boolean;
  readonly isForgotten?: boolean;
  /** Whose lane the address goes on in: that of who has gone, or a new one. */
  readonly expect: "its own" | "a new one";
}

const goneCases: readonly GoneCase[] = [
  {
    name: "an address of an older store stays in the lane of a host that came and has gone again",
    hasOther: true,
    expect: "its own",
  },
  {
    name: "an address of an older store stays in its lane when all hosts have gone again",
    hasOther: false,
    expect: "its own",
  },
  {
    name: "an address of an older store gets a new lane when the host that had it is given up",
    hasOther: true,
    isForgotten: true,
    expect: "a new one",
  },
];

for (const { name, hasOther, isForgotten = false, expect } of goneCases) {
  test(name, () => {
    const [here, gone] = [makeAgent("lb-1"), makeAgent("lb-2")];
    const since = makeWorld({ claims: [makeClaim("web")], agents: [gone] });
    const served = planned(since);
    const [lane] = served.lanes.keys();
    const away = proveAll(since, served, { revisionOf }).map((view) => {
      return { ...view, connected: false, disconnectedAtMs: since.nowMs };
    });
    const idle = proveAll(makeWorld({ agents: [here] }), planned(makeWorld({ agents: [here] })));
    const others = hasOther ? idle : idle.map((view) => ({ ...view, connected: false }));
    const world = makeWorld({
      claims: [holding("web", ["192.0.2.100"])],
      agents: [...others, ...away],
      intents: isForgotten
        ? [{ id: "f1", sinceMs: since.nowMs, kind: "forget", agent: gone.name }]
        : [],
    });
    const { leases, nodePlans } = planned(world);
    const row = leases.get(address("192.0.2.100"));
    assert.ok(row?.placement.kind === "lane");
    assert.equal(row.placement.lane === lane, expect === "its own");
    const isGiven = nodePlans.get(here.name)?.resources.has(vipName(row.address));
    assert.equal(isGiven, expect === "a new one", "two hosts would have it");
  });
}

test("of an older store's address those who are here are believed before who has gone", () => {
  const claims = [holding("web", ["192.0.2.100"])];
  const laneAlone = (name: string, reservedRouterIds: readonly number[]) => {
    const made = makeWorld({ claims, agents: [makeAgent(name)] });
    const world = { ...made, settings: { ...made.settings, reservedRouterIds } };
    const alone = planned(world);
    return { lane: [...alone.lanes.keys()], agents: proveAll(world, alone, { revisionOf }) };
  };
  const [gone, here] = [laneAlone("lb-1", []), laneAlone("lb-2", [1])];
  const away = gone.agents.map((view) => ({ ...view, connected: false, disconnectedAtMs: 0 }));
  const { leases } = planned(makeWorld({ claims, agents: [...away, ...here.agents] }));
  const placement = leases.get(address("192.0.2.100"))?.placement;
  assert.notDeepEqual(here.lane, gone.lane);
  assert.deepEqual(placement?.kind === "lane" && [placement.lane], here.lane);
});

test("a lane that is found again is held by who says so now, not by who said so and has gone", () => {
  const names = ["web", "api"];
  const before = makeWorld({ claims: names.map((name) => makeClaim(name)), agents: makeAgents(2) });
  const made = planned(before);
  const served = nextWorld(before, made, { agents: proveAll(before, made, { revisionOf }) });
  const taken = proveAll(served, made, { revisionOf, dead: ["lb-1"] });
  const claims = names.map((name, at) => holding(name, [`192.0.2.10${1 - at}`]));
  const { lanes } = planned(makeWorld({ claims, agents: taken }));
  assert.ok([...made.lanes.values()].some(({ order }) => order[0] === "lb-1"));
  assert.deepEqual(
    Array.from(lanes.values(), ({ holder }) => holder),
    Array.from(made.lanes.keys(), () => "lb-2"),
  );
});

for (const mode of ["vrrp", "host"] as const) {
  test(`in mode ${mode} what is waited for is told anew when its agents let it go`, () => {
    const [owner, heir] = [makeClaim("owner"), holding("heir", ["192.0.2.105"])];
    const memory = createPlanMemory();
    let world = makeWorld({
      claims: [owner],
      pools: [{ ...makePool("own", "192.0.2.105"), mode }],
      agents: [makeAgent("lb-1")],
    });
    const go = (): Plan => plan(world, { revisionOf, memory });
    const said = (): unknown =>
      findVerdict(go(), "heir").addresses.map(({ published }) => published);
    world = nextWorld(world, go(), { agents: proveAll(world, go()) });
    world = nextWorld(world, go(), { claims: [heir], absent: [owner] });
    assert.deepEqual(said(), [true]);
    const idle = proveAll(world, planned(makeWorld({ agents: [makeAgent("lb-1")] })));
    world = nextWorld(world, go(), { agents: idle });
    assert.deepEqual(said(), [false]);
  });
}

test("who asks for hosts' own addresses adopts none that floats, in this plan or the next", () => {
  const asking = makeClaim("a", { wishes: ["198.51.100.7"] });
  const world = makeWorld({
    claims: [{ ...asking, statusAddresses: [address("192.0.2.105")] }],
    pools: [makePool("lan", "192.0.2.105"), { ...makePool("own", "198.51.100.7"), mode: "host" }],
  });
  const first = planned(world);
  assert.deepEqual([...first.leases.keys()], []);
  assert.deepEqual(planned(nextWorld(world, first)).verdicts, first.verdicts);
});
