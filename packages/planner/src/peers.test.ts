// Where the agents of a lane speak VRRP from, and that no two of them do from one address.

import assert from "node:assert/strict";
import { test } from "node:test";

import type { Plan, World } from "@fairlead/model";
import {
  findVerdict,
  makeAgent,
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

/** `agent=address` of the peers of the one lane. */
function peersOf(last: Plan): readonly string[] {
  return [...last.lanes.values()].flatMap(({ peers = [] }) =>
    peers.map(({ agent, address }) => `${agent}=${address}`),
  );
}

test("a host that was cloned with its address is no peer of the one it was cloned from", () => {
  const agents = [
    makeAgent("lb-1", { prefixes: ["192.0.2.11/24"] }),
    makeAgent("lb-2", { prefixes: ["192.0.2.11/24"] }),
    makeAgent("lb-3", { prefixes: ["192.0.2.13/24"] }),
  ];
  const last = planned(makeWorld({ agents, claims: [makeClaim("web")] }));
  const addresses = new Set(peersOf(last).map((peer) => peer.split("=")[1]));
  assert.deepEqual(addresses, new Set(["192.0.2.11", "192.0.2.13"]));
  assert.equal(peersOf(last).length, 2);
  const running = [...last.nodePlans.values()].filter(({ resources }) => resources.size > 0);
  assert.equal(running.length, 2);
});

test("a clone of an agent that has not come yet does not join in its place", () => {
  const agents = [
    makeAgent("lb-1", { prefixes: ["192.0.2.11/24"] }),
    makeAgent("lb-2", { prefixes: ["192.0.2.12/24"] }),
    makeAgent("lb-3", { prefixes: ["192.0.2.11/24"] }),
  ];
  const world = makeWorld({ agents, claims: [makeClaim("web")] });
  const first = planned(world);
  const held = nextWorld(world, first, { agents: proveAll(world, first) });
  const before = planned(held);
  // A new leader plans before the first of them has connected to it.
  const without = proveAll(held, before).filter(({ name }) => name !== "lb-1");
  const after = planned(nextWorld(held, before, { agents: without }));
  assert.deepEqual(after.lanes, before.lanes);
  assert.deepEqual(peersOf(after).toSorted(), ["lb-1=192.0.2.11", "lb-2=192.0.2.12"]);
});

test("what hosts have in common is spoken from by nobody who has another address", () => {
  const agents = [11, 12, 13].map((host, i) =>
    makeAgent(`lb-${i + 1}`, { prefixes: ["192.0.2.5/24", `192.0.2.${host}/24`] }),
  );
  const last = planned(makeWorld({ agents, claims: [makeClaim("web")] }));
  assert.deepEqual(peersOf(last).toSorted(), [
    "lb-1=192.0.2.11",
    "lb-2=192.0.2.12",
    "lb-3=192.0.2.13",
  ]);
});

test("which of two clones is named for their address is the same in any order", () => {
  const agents = [makeAgent("lb-1"), makeAgent("lb-2")];
  const said = (given: typeof agents): string | undefined => {
    const pools = [makePool("default", "192.0.2.11-192.0.2.20")];
    const claims = [makeClaim("web", { wishes: ["192.0.2.11"] })];
    const last = planned(makeWorld({ agents: given, pools, claims }));
    return findVerdict(last, "web").main?.detail;
  };
  assert.equal(said(agents), "192.0.2.11 is the own address of agent lb-1");
  assert.equal(said(agents.toReversed()), said(agents));
});
