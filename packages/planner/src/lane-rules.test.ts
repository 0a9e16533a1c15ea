// Which lanes a VIP may ride in by the rule of its pool: known ones, new ones, and ones that are
// found on agents because the store is lost or older.

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  type AddressPool,
  type AgentView,
  type Claim,
  type Lane,
  type Plan,
  type World,
  vipName,
} from "@fairlead/model";
import {
  address,
  agentName,
  makeAgent,
  makeAgents,
  makeClaim,
  makePool,
  makeRevisionOf,
  makeWorld,
  nextWorld,
  proveAll,
} from "@fairlead/testkit";

import { plan } from "./index.ts";

const revisionOf = makeRevisionOf();
const planned = (world: World): Plan => plan(world, { revisionOf });
const WEB = address("192.0.2.100");
const DNS = address("192.0.2.150");

function poolsFor(agents: readonly string[]): readonly AddressPool[] {
  return [
    makePool("web", "192.0.2.100-192.0.2.149"),
    makePool("dns", "192.0.2.150-192.0.2.199", { agents: agents.map(agentName) }),
  ];
}

function claim(name: "web" | "dns", other = ""): Claim {
  return makeClaim(`${name}${other}`, { wishedPool: name });
}

/** The lane that an address rides in. */
function laneOf(last: Plan, at: typeof WEB): Lane | undefined {
  const placement = last.leases.get(at)?.placement;
  return placement?.kind === "lane" ? last.lanes.get(placement.lane) : undefined;
}

/** Two Services that agents have proved; on one agent both ride in its one lane. */
function served(hosts = 3): { readonly world: World; readonly last: Plan } {
  const claims = [claim("web"), claim("dns")];
  const world = makeWorld({ claims, pools: poolsFor([]), agents: makeAgents(hosts) });
  const first = planned(world);
  const next = nextWorld(world, first, { agents: proveAll(world, first, { revisionOf }) });
  return { world: next, last: planned(next) };
}

/** The same world over a store that has lost all but the given addresses. */
function afterLoss(
  { world, last }: ReturnType<typeof served>,
  kept: readonly (typeof WEB)[],
): World {
  const leases = new Map([...last.leases].filter(([at]) => kept.includes(at)));
  const ids = new Set([...leases.keys()].map((at) => laneOf(last, at)?.id));
  const lanes = new Map([...last.lanes].filter(([id]) => ids.has(id)));
  const claims = Array.from(world.claims.values(), (one) => ({
    ...one,
    statusAddresses: [one.name === "web" ? WEB : DNS],
  }));
  return nextWorld(world, { ...last, leases, lanes }, { claims });
}

test("an address goes on in the lane that it is found in", () => {
  const before = served();
  const lane = laneOf(before.last, DNS);
  assert.equal(laneOf(planned(afterLoss(before, [])), DNS)?.id, lane?.id);
  assert.equal(laneOf(planned(afterLoss(before, [WEB])), DNS)?.id, lane?.id);
});

/** What agents say when the controller asks them over an older store. */
interface Return {
  readonly name: string;
  readonly dead?: readonly string[];
  /** The holder of the lane that the store has lost, as it says it. */
  readonly holder: (view: AgentView) => readonly AgentView[];
}

const returns: readonly Return[] = [
  { name: "its holder has not come back yet", holder: () => [] },
  { name: "its holder has the other one too", dead: ["lb-1", "lb-2"], holder: (view) => [view] },
  {
    name: "its holder does not know how its reload ended",
    holder: ({ report, ...view }) => {
      const lanes = report?.lanes.map((one) => ({ ...one, state: "absent" as const })) ?? [];
      return [report === undefined ? view : { ...view, report: { ...report, lanes } }];
    },
  },
];

for (const { name, dead = [], holder } of returns) {
  test(`an older store takes no address out of the lane that it rides in when ${name}`, () => {
    const { world, last } = served();
    const said = proveAll(world, last, { revisionOf, dead });
    for (const [kept, lost] of [[WEB, DNS] as const, [DNS, WEB] as const]) {
      const [other, lane] = [laneOf(last, kept), laneOf(last, lost)];
      assert.notEqual(other?.id, lane?.id);
      assert.deepEqual(other?.order.toSorted(), lane?.order.toSorted());
      const agents = said.flatMap((one) => (one.name === lane?.order[0] ? holder(one) : [one]));
      const older = afterLoss({ world: nextWorld(world, last, { agents }), last }, [kept]);
      assert.equal(laneOf(planned(older), lost)?.id, lane?.id);
    }
  });
}

test("it leaves a lane that has agents which its pool allows no more", () => {
  const world = { ...afterLoss(served(), []), pools: poolsFor(["lb-3"]) };
  assert.deepEqual(laneOf(planned(world), DNS)?.order, ["lb-3"]);
});

test("it joins no lane of a pool with another rule, though its own allows all of the agents", () => {
  const before = served(1);
  const lane = laneOf(before.last, WEB);
  const world = { ...afterLoss(before, [WEB]), pools: poolsFor(["lb-1"]) };
  assert.equal(laneOf(before.last, DNS)?.id, lane?.id);
  const last = planned(world);
  assert.equal(laneOf(last, WEB)?.id, lane?.id);
  assert.notEqual(laneOf(last, DNS)?.id, lane?.id);
});

test("a pool that allows an agent no more gives nothing new to a lane with it", () => {
  const { world, last } = served();
  const pools = poolsFor([]).map((pool) => ({ ...pool, agents: ["lb-1", "lb-2"].map(agentName) }));
  const claims = [...world.claims.values(), claim("web", "-2")];
  const after = planned(nextWorld(world, last, { pools, claims }));
  assert.equal(laneOf(after, WEB)?.order.length, 3);
  const given = laneOf(after, address("192.0.2.101"))?.order;
  assert.deepEqual(new Set(given), new Set(["lb-1", "lb-2"]));
});

test("a number that agents run and the store does not know is used for no new lane", () => {
  const { world, last } = served();
  const agents = [...world.agents.values()];
  const lost = nextWorld(world, planned(makeWorld()), { agents, claims: [claim("web", "-2")] });
  const used = laneOf(last, WEB)?.routerId;
  const [lane] = planned(lost).lanes.values();
  assert.ok(lane !== undefined && used !== undefined);
  assert.notEqual(lane.routerId, used);
});

test("a found lane with a number that operators reserve takes nothing", () => {
  const before = served();
  const found = laneOf(before.last, DNS);
  assert.ok(found !== undefined);
  const world = afterLoss(before, []);
  const settings = { ...world.settings, reservedRouterIds: [found.routerId] };
  const lane = laneOf(planned({ ...world, settings }), DNS);
  assert.ok(lane !== undefined);
  assert.notEqual(lane.routerId, found.routerId);
});

test("an address that an agent outside of a lane has too is not found in that lane", () => {
  const before = served(2);
  const world = afterLoss(before, []);
  const outside = makeAgent("lb-3", { prefixes: ["192.0.2.13/24"] });
  const agents = [...world.agents.values()];
  const [first] = agents;
  const said = first?.report?.resources.get(vipName(DNS));
  assert.ok(first?.report !== undefined && said !== undefined);
  const resources = new Map([[said.name, { ...said, step: "applied" as const, evidence: [] }]]);
  const report = { ...first.report, agent: outside.name, resources, lanes: [] };
  const after = planned(
    nextWorld(
      world,
      { ...before.last, leases: new Map(), lanes: new Map() },
      {
        agents: [...agents, { ...outside, report }],
      },
    ),
  );
  assert.notEqual(laneOf(after, DNS)?.id, laneOf(before.last, DNS)?.id);
});
