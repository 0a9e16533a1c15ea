// What becomes of addresses when an operator withdraws an agent: it says as its last word that it
// has nothing, so nobody waits for its silence to be doubted. Given worlds of testkit.

import assert from "node:assert/strict";
import { test } from "node:test";

import type { AddressPool, Plan, World } from "@fairlead/model";
import {
  findVerdict,
  makeAgents,
  makeClaim,
  makePool,
  makeRevisionOf,
  makeWithdrawn,
  makeWorld,
  nextWorld,
  proveAll,
  verdictLine,
} from "@fairlead/testkit";

import { plan } from "./index.ts";

const revisionOf = makeRevisionOf();
const planned = (world: World): Plan => plan(world, { revisionOf });

/** All addresses are proved, and published. */
function served(mode: AddressPool["mode"], agents: number): World {
  const pools = [makePool("lan", "192.0.2.100-192.0.2.109", { mode })];
  let world = makeWorld({ claims: [makeClaim("web")], pools, agents: makeAgents(agents) });
  for (let round = 0; round < 3; round += 1) {
    world = nextWorld(world, planned(world), { agents: proveAll(world, planned(world)) });
  }
  return nextWorld(world, planned(world));
}

/** The plan `laterMs` after these agents were withdrawn. */
function without(world: World, names: readonly string[], laterMs = 0): Plan {
  const agents = [...world.agents.values()].map((view) =>
    names.includes(view.name) ? makeWithdrawn(view, world.nowMs) : view,
  );
  const nowMs = world.nowMs + laterMs;
  return planned(nextWorld(world, planned(world), { agents, nowMs }));
}

function published(result: Plan): readonly string[] {
  const { addresses } = findVerdict(result, "web");
  return addresses.filter((one) => one.published).map(({ address }) => address);
}

test("mode host: the address of a withdrawn agent leaves the status at once, and stays its own", () => {
  const world = served("host", 3);
  const result = without(world, ["lb-2"]);
  assert.deepEqual(published(result), ["192.0.2.100", "192.0.2.102"]);
  const { state, main, conditions } = findVerdict(result, "web");
  assert.equal(state, "ready");
  assert.equal(main?.reason, "AgentWithdrawn");
  assert.equal(conditions.find(({ type }) => type === "Serving")?.status, "True");
  assert.deepEqual([...result.leases.keys()], [...planned(world).leases.keys()]);
});

test("mode host: a status is emptied when all agents are withdrawn", () => {
  const result = without(served("host", 2), ["lb-1", "lb-2"]);
  assert.deepEqual(published(result), []);
  assert.equal(verdictLine(result, "web").split(" ").at(-1), "AgentWithdrawn");
});

test("mode link: an address whose host is withdrawn leaves the status, and waits for it", () => {
  const world = served("link", 1);
  const result = without(world, ["lb-1"]);
  assert.deepEqual(published(result), []);
  assert.equal(verdictLine(result, "web"), "pending 192.0.2.100 AgentWithdrawn");
  const [row] = result.leases.values();
  assert.equal(row?.placement.kind, "host", "as one of a host that is out of reach does");
  assert.deepEqual(row?.sentTo, ["lb-1"], "it may have it again as soon as it is started");
});

test("a lane's address stays published while others may take it over", () => {
  const world = served("vrrp", 2);
  const [{ order } = { order: [] }] = planned(world).lanes.values();
  const [holder = ""] = order;
  assert.deepEqual(published(without(world, [holder])), ["192.0.2.100"]);
  assert.deepEqual(published(without(world, [holder], 7000)), [], "nobody did");
});

test("a lane's address is published no more when all its agents are withdrawn", () => {
  assert.deepEqual(published(without(served("vrrp", 2), ["lb-1", "lb-2"])), []);
});

test("an agent that was withdrawn a minute ago is in nobody's list of trouble", () => {
  const world = served("vrrp", 3);
  assert.deepEqual(without(world, ["lb-1"], 90_000).findings, []);
});
