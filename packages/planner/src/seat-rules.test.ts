// What a pool's `agents` and `link` mean where agents hold its addresses by themselves: others hold
// none of them, no other device has one, and an edit takes nothing from clients before another
// address serves them. Given worlds of testkit.

import assert from "node:assert/strict";
import { test } from "node:test";

import type { AddressPool, AgentView, Plan, World } from "@fairlead/model";
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
  places,
  proveAll,
  published,
  verdictLine,
} from "@fairlead/testkit";

import { createPlanMemory, plan } from "./index.ts";

const revisionOf = makeRevisionOf();
const planned = (world: World): Plan => plan(world, { revisionOf });
const proved = (world: World, dead: readonly string[] = []): World =>
  nextWorld(world, planned(world), { agents: proveAll(world, planned(world), { dead }) });

const LAN = "192.0.2.100-192.0.2.109";
const BOTH = `${LAN}, 198.51.100.100-198.51.100.109`;
const named = (...names: readonly string[]): Pick<AddressPool, "agents"> => ({
  agents: names.map(agentName),
});

/** An agent on two networks, the first of them by its primary device. */
function onBoth(name: string, last: number): AgentView {
  const links = [
    makeLink("eth0", [`192.0.2.${last}/24`]),
    makeLink("eth1", [`198.51.100.${last}/24`], { primary: false }),
  ];
  return makeAgent(name, { links });
}

/** Addresses that an agent is told to hold. */
function toldTo(result: Plan, agent: string): readonly string[] {
  const own = [...result.nodePlans.values()].find((one) => one.agent === agent);
  const resources = [...(own?.resources.values() ?? [])];
  return resources.flatMap((one) => (one.kind === "vip" ? [one.address] : []));
}

test("mode host: agents that the pool names have an address each, and no other agent has one", () => {
  const pools = [makePool("lan", LAN, { mode: "host", ...named("lb-1", "lb-3") })];
  const world = makeWorld({ claims: [makeClaim("web")], pools, agents: makeAgents(4) });
  const result = planned(world);
  assert.deepEqual(places(result), ["192.0.2.100 on lb-1 eth0", "192.0.2.101 on lb-3 eth0"]);
  assert.deepEqual(toldTo(result, "lb-2"), []);
  assert.deepEqual(toldTo(result, "lb-4"), []);
  assert.equal(verdictLine(planned(proved(world)), "web"), "ready 192.0.2.100 192.0.2.101");
});

test("mode host: a pool whose agents are not there serves nobody, and says so", () => {
  const pools = [makePool("lan", LAN, { mode: "host", ...named("lb-9") })];
  const result = planned(makeWorld({ claims: [makeClaim("web")], pools, agents: makeAgents(2) }));
  assert.deepEqual(places(result), []);
  assert.equal(verdictLine(result, "web"), "pending NoSegment");
});

test("mode host: two pools divide the agents, and each has its own Services on its own", () => {
  const pools = [
    makePool("front", LAN, { mode: "host", ...named("lb-1") }),
    makePool("back", "192.0.2.110-192.0.2.119", { mode: "host", ...named("lb-2") }),
  ];
  const claims = ["front", "back"].map((name) => makeClaim(name, { wishedPool: name }));
  const result = planned(makeWorld({ claims, pools, agents: makeAgents(3) }));
  assert.deepEqual(places(result), ["192.0.2.100 on lb-1 eth0", "192.0.2.110 on lb-2 eth0"]);
});

test("mode host: the pool's device decides of which network an agent's address is", () => {
  const agents = [
    onBoth("a", 11),
    onBoth("b", 12),
    makeAgent("c", { prefixes: ["192.0.2.13/24"] }),
  ];
  const on = (link: string): readonly string[] => {
    const pools = [makePool("lan", BOTH, { mode: "host", link: device(link) })];
    return places(planned(makeWorld({ claims: [makeClaim("web")], pools, agents })));
  };
  assert.deepEqual(on("eth1"), ["198.51.100.100 on a eth1", "198.51.100.101 on b eth1"]);
  assert.deepEqual(on("eth0"), [
    "192.0.2.100 on a eth0",
    "192.0.2.101 on b eth0",
    "192.0.2.102 on c eth0",
  ]);
});

test("mode host: without a device of the pool the primary one comes first", () => {
  const links = [
    makeLink("eth0", ["198.51.100.11/24"], { primary: false }),
    makeLink("eth1", ["192.0.2.11/24"]),
  ];
  const pools = [makePool("lan", BOTH, { mode: "host" })];
  const agents = [makeAgent("a", { links })];
  const result = planned(makeWorld({ claims: [makeClaim("web")], pools, agents }));
  assert.deepEqual(places(result), ["192.0.2.100 on a eth1"]);
});

test("mode host: an agent that the pool names no more gives its address up, the others keep theirs", () => {
  const pools = [makePool("lan", LAN, { mode: "host" })];
  const world = proved(makeWorld({ claims: [makeClaim("web")], pools }));
  const edited = [makePool("lan", LAN, { mode: "host", ...named("lb-1", "lb-3") })];
  const after = planned(nextWorld(world, planned(world), { pools: edited }));
  assert.deepEqual(published(after, "web"), ["192.0.2.100", "192.0.2.102"]);
  assert.deepEqual(toldTo(after, "lb-2"), []);
});

test("mode host: who alone serves keeps its address, until one that the pool names serves too", () => {
  const pool = (name: string): AddressPool =>
    makePool("lan", LAN, { mode: "host", ...named(name) });
  const claims = [makeClaim("web")];
  const world = proved(makeWorld({ claims, pools: [pool("lb-1")], agents: makeAgents(2) }));
  assert.deepEqual(published(planned(world), "web"), ["192.0.2.100"]);
  const edited = nextWorld(world, planned(world), { pools: [pool("lb-2")] });
  const both = planned(edited);
  assert.deepEqual(places(both), ["192.0.2.100 on lb-1 eth0", "192.0.2.101 on lb-2 eth0"]);
  assert.deepEqual(published(both, "web"), ["192.0.2.100"]);
  assert.deepEqual(planned(nextWorld(edited, both)).verdicts, both.verdicts);
  const after = planned(proved(proved(edited)));
  assert.deepEqual(published(after, "web"), ["192.0.2.101"]);
  assert.deepEqual(toldTo(after, "lb-1"), []);
});

test("mode host: what was served for the first time was said to have no host as its pool forgot it", () => {
  const pool = (name: string): AddressPool =>
    makePool("lan", LAN, { mode: "host", ...named(name) });
  const claims = [makeClaim("web")];
  const world = makeWorld({ claims, pools: [pool("lb-1")], agents: makeAgents(1) });
  const first = planned(world);
  const agents = proveAll(world, first, { revisionOf });
  const edited = nextWorld(world, first, { pools: [pool("lb-9")], agents });
  const served = planned(edited);
  assert.equal(findVerdict(served, "web").state, "ready");
  assert.deepEqual(published(served, "web"), ["192.0.2.100"]);
  assert.deepEqual(planned(nextWorld(edited, served)), served);
});

test("mode host: with memory an address stayed for good on a host that its pool names no more", () => {
  const pool = (name: string): AddressPool =>
    makePool("lan", LAN, { mode: "host", ...named(name) });
  const pools = [pool("lb-1")];
  const memory = createPlanMemory();
  let world = makeWorld({ claims: [makeClaim("web")], pools, agents: makeAgents(2) });
  let last = plan(world, { revisionOf, memory });
  for (const change of [{}, { pools: [pool("lb-2")] }, {}, {}, {}]) {
    const agents = proveAll(world, last, { revisionOf });
    world = nextWorld(world, last, { agents, ...change });
    last = plan(world, { revisionOf, memory });
    assert.deepEqual(last, planned(world));
  }
  assert.deepEqual(published(last, "web"), ["192.0.2.101"]);
  assert.deepEqual(toldTo(last, "lb-1"), []);
});

test("mode host: an address stays on the device of its network when its pool names another one", () => {
  const pool = makePool("lan", BOTH, { mode: "host" });
  const agents = [onBoth("a", 11)];
  const claims = [makeClaim("web")];
  const world = proved(makeWorld({ claims, pools: [pool], agents }));
  const edited = [{ ...pool, link: device("eth1") }];
  const more = [...claims, makeClaim("new")];
  const after = planned(nextWorld(world, planned(world), { pools: edited, claims: more }));
  assert.deepEqual(places(after), ["192.0.2.100 on a eth0", "198.51.100.100 on a eth1"]);
});

test("mode link: only agents that the pool names hold its addresses", () => {
  const claims = Array.from({ length: 10 }, (_, i) => makeClaim(`web-${i}`));
  const agents = makeAgents(4);
  const of = (pool: AddressPool): ReadonlySet<string> =>
    new Set(places(planned(makeWorld({ claims, pools: [pool], agents }))).map(agentIn));
  const agentIn = (place: string): string => place.split(" ")[2] ?? "";
  assert.equal(
    of(makePool("lan", LAN, { mode: "link" })).size,
    4,
    "all of them, where none is named",
  );
  const two = makePool("lan", LAN, { mode: "link", ...named("lb-2", "lb-4") });
  assert.deepEqual(of(two), new Set(["lb-2", "lb-4"]));
});

test("mode link: an address that another host has is not held there, where its pool names others", () => {
  const pools = [makePool("lan", "192.0.2.0/24", { mode: "link", ...named("lb-1") })];
  const claims = [makeClaim("web", { wishes: ["192.0.2.12"] })];
  const result = planned(makeWorld({ claims, pools, agents: makeAgents(3) }));
  assert.deepEqual(toldTo(result, "lb-2"), []);
});

test("mode link: a pool whose agents are not there leaves its Services waiting", () => {
  const pools = [makePool("lan", LAN, { mode: "link", ...named("lb-9") })];
  const result = planned(makeWorld({ claims: [makeClaim("web")], pools, agents: makeAgents(2) }));
  assert.equal(verdictLine(result, "web"), "pending 192.0.2.100 NoSegment");
});

test("mode link: the pool's device holds the address, though another one is in its network", () => {
  const where = (options: Partial<AddressPool>): readonly string[] => {
    const pools = [makePool("lan", LAN, { mode: "link", ...options })];
    const agents = [onBoth("a", 11)];
    return places(planned(makeWorld({ claims: [makeClaim("web")], pools, agents })));
  };
  assert.deepEqual(where({}), ["192.0.2.100 on a eth0"]);
  assert.deepEqual(where({ link: device("eth1") }), ["192.0.2.100 on a eth1"]);
  assert.deepEqual(where({ link: device("eth2") }), ["192.0.2.100 unplaced"]);
});

test("mode link: a device that is not the primary one holds what no network has if it is named", () => {
  const where = (options: Partial<AddressPool>): readonly string[] => {
    const pools = [makePool("far", "203.0.113.9", { mode: "link", ...options })];
    const agents = [onBoth("a", 11)];
    return places(planned(makeWorld({ claims: [makeClaim("web")], pools, agents })));
  };
  assert.deepEqual(where({}), ["203.0.113.9 on a eth0"]);
  assert.deepEqual(where({ link: device("eth1") }), ["203.0.113.9 on a eth1"]);
});

test("mode link: an address stays where it is when its pool names other agents", () => {
  const pools = [makePool("lan", LAN, { mode: "link", ...named("lb-1") })];
  const world = proved(makeWorld({ claims: [makeClaim("web")], pools, agents: makeAgents(2) }));
  const edited = [makePool("lan", LAN, { mode: "link", ...named("lb-2") })];
  const claims = [makeClaim("web"), makeClaim("new")];
  const after = planned(nextWorld(world, planned(world), { pools: edited, claims }));
  assert.deepEqual(places(after), ["192.0.2.100 on lb-1 eth0", "192.0.2.101 on lb-2 eth0"]);
});
