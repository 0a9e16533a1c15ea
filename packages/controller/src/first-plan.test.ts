// When a leader makes its first plan: a table of who is named by the store and what was heard.

import assert from "node:assert/strict";
import { test } from "node:test";

import { type AgentView, type Claim, type Plan, type World, vipName } from "@fairlead/model";
import { plan } from "@fairlead/planner";
import {
  address,
  agentName,
  makeAgent,
  makeClaim,
  makeReport,
  makeRevisionOf,
  makeWorld,
  nextWorld,
  proveAll,
} from "@fairlead/testkit";

import { createClusterState } from "./cluster-state.ts";
import { firstPlanWaitMs, firstWorldOf, isStoreBehind } from "./first-plan.ts";

const OPENED_MS = 10_000;
const NAMED = new Set([agentName("lb-1"), agentName("lb-2")]);
const revisionOf = makeRevisionOf();

/** An agent that has said hello, and what it has where `spoke`. */
function here(name: string, spoke: boolean): AgentView {
  const view = makeAgent(name);
  const empty = { agent: view.name, resources: new Map(), retained: [] };
  const { report: _, ...silent } = view;
  return spoke ? { ...view, report: makeReport(empty, () => true, revisionOf) } : silent;
}

/** One that had said hello, and whose stream has ended. */
function gone(name: string): AgentView {
  return { ...here(name, false), connected: false, disconnectedAtMs: 0 };
}

interface Case {
  readonly name: string;
  readonly agents: readonly AgentView[];
  readonly named?: typeof NAMED;
  readonly isStoreOlder?: boolean;
  /** Since the store was open: when the last hello came. */
  readonly helloMs?: number;
  /** Since the store was open: when the plan is made. */
  readonly plannedMs: number;
}

const cases: readonly Case[] = [
  {
    name: "all that are named have spoken, be it before the store was open",
    agents: [here("lb-1", true), here("lb-2", true)],
    helloMs: -100,
    plannedMs: 0,
  },
  { name: "nobody comes", agents: [], plannedMs: 2000 },
  {
    name: "one of two has spoken and the other one is not there",
    agents: [here("lb-1", true)],
    helloMs: 100,
    plannedMs: 600,
  },
  {
    name: "one of two has spoken and the other one has said no more than hello",
    agents: [here("lb-1", true), here("lb-2", false)],
    helloMs: 100,
    plannedMs: 5000,
  },
  {
    name: "one of two has spoken and the other one has left again",
    agents: [here("lb-1", true), gone("lb-2")],
    helloMs: 100,
    plannedMs: 600,
  },
  {
    name: "an agent that the store does not name has said no more than hello",
    agents: [here("lb-1", true), here("lb-2", true), here("lb-3", false)],
    helloMs: 100,
    plannedMs: 0,
  },
  {
    name: "the store names nobody",
    named: new Set(),
    agents: [here("lb-1", false)],
    helloMs: 100,
    plannedMs: 600,
  },
  {
    name: "the store was lost, and all of it have spoken",
    agents: [here("lb-1", true), here("lb-2", true)],
    isStoreOlder: true,
    helloMs: 100,
    plannedMs: 5100,
  },
];

for (const { name, agents, named = NAMED, isStoreOlder = false, helloMs, plannedMs } of cases) {
  test(`the first plan is made after ${plannedMs} ms when ${name}`, () => {
    const waitAt = (nowMs: number): number =>
      firstPlanWaitMs({
        nowMs: OPENED_MS + nowMs,
        openedMs: OPENED_MS,
        helloMs: helloMs === undefined ? undefined : OPENED_MS + helloMs,
        named,
        agents: new Map(agents.map((view) => [view.name, view])),
        isStoreOlder,
      });
    assert.equal(waitAt(0), plannedMs);
    assert.equal(waitAt(plannedMs), 0);
  });
}

const OLD = makeClaim("old");
const NEW = makeClaim("new");
const planned = (world: World): Plan => plan(world, { revisionOf });

/** What the store had before and after a Service came, and that it was published. */
function served(): {
  readonly before: Plan;
  readonly now: Plan;
  readonly claims: readonly Claim[];
} {
  const world = makeWorld({ claims: [OLD] });
  const before = planned(world);
  const now = planned(nextWorld(world, before, { claims: [OLD, NEW] }));
  const claims = [OLD, NEW].map((claim) => {
    const held = [...now.leases.values()].filter(({ lastClaim }) => lastClaim === claim.id);
    return { ...claim, statusAddresses: held.map((row) => row.address) };
  });
  return { before, now, claims };
}

function isBehind(store: Plan, claims: readonly Claim[], agents: World["agents"]): boolean {
  const seen = claims.map((value) => [value.id, { value, source: "folder", seenAtMs: 0 }] as const);
  return isStoreBehind(store, { claims: new Map(seen), agents });
}

test("a store that knows what is published, and who had it last, is behind nothing", () => {
  const { now, claims } = served();
  const world = nextWorld(makeWorld(), now, { claims: [] });
  assert.equal(isBehind(now, claims, world.agents), false);
  assert.equal(isBehind(planned(world), claims, world.agents), false);
});

test("a store is behind when a published address is nobody's in it, or somebody else's", () => {
  const { before, now, claims } = served();
  assert.equal(isBehind(planned(makeWorld()), claims, new Map()), true);
  assert.equal(isBehind(before, claims, new Map()), true);
  const [first, second] = claims.map(({ statusAddresses }) => statusAddresses ?? []);
  const swapped = [
    { ...OLD, statusAddresses: second ?? [] },
    { ...NEW, statusAddresses: first ?? [] },
  ];
  assert.equal(isBehind(now, swapped, new Map()), true);
});

test("a store is behind when agents run a lane that it does not know, published or not", () => {
  const { before, now } = served();
  const world = nextWorld(makeWorld({ claims: [OLD, NEW] }), now);
  const agents = new Map(proveAll(world, now).map((agent) => [agent.name, agent]));
  assert.equal(isBehind(now, [OLD, NEW], agents), false);
  assert.equal(isBehind(before, [OLD, NEW], agents), true);
});

interface StrayCase {
  readonly name: string;
  /** Of the two hosts, who holds the address. */
  readonly holders: readonly string[];
  readonly isForgotten?: boolean;
  /** Who is given it. */
  readonly expect: string;
}

// The copy has the address in a lane of lb-1 alone; later it was in one of lb-2 alone.
const strayCases: readonly StrayCase[] = [
  {
    name: "an address that changed lanes after the copy was taken goes on where it is held",
    holders: ["lb-2"],
    expect: "lb-2",
  },
  {
    name: "an address that somebody in its lane holds stays there, whoever holds it as well",
    holders: ["lb-1", "lb-2"],
    expect: "lb-1",
  },
  {
    name: "an address does not follow a host that was given up",
    holders: ["lb-2"],
    isForgotten: true,
    expect: "lb-1",
  },
];

/** What was planned for a host that had the only lane, and what it says when it serves. */
function aloneOn(name: string, reservedRouterIds: readonly number[]) {
  const made = makeWorld({ claims: [OLD], agents: [makeAgent(name)] });
  const world = { ...made, settings: { ...made.settings, reservedRouterIds } };
  const copy = planned(world);
  return { copy, world, serving: proveAll(world, copy, { revisionOf }) };
}

for (const { name, holders, isForgotten = false, expect } of strayCases) {
  test(name, () => {
    const [one, two] = [aloneOn("lb-1", []), aloneOn("lb-2", [1])];
    const agents = [one, two].flatMap(({ world, serving }) =>
      serving.flatMap((view) =>
        holders.includes(view.name) ? [view] : [...world.agents.values()],
      ),
    );
    const intents: World["intents"] = isForgotten
      ? [{ id: "f1", sinceMs: 0, kind: "forget", agent: agentName("lb-2") }]
      : [];
    const known = new Map(agents.map((view) => [view.name, view]));
    const made = makeWorld({ claims: [OLD] });
    const world = firstWorldOf(
      { ...createClusterState([]), agents: known },
      { ...made, ...one.copy, intents },
    );
    const at = address("192.0.2.100");
    assert.equal(world.leases === one.copy.leases, expect === "lb-1", "it has its lane or none");
    const { nodePlans } = planned({ ...world, pools: made.pools });
    const given = [...nodePlans].filter(([, { resources }]) => resources.has(vipName(at)));
    assert.deepEqual(
      given.map(([agent]) => agent),
      [expect],
    );
  });
}
