// What somebody is told who waits for an address: how full the pools are, and why what nobody holds
// is not given either. Given worlds of testkit.

import assert from "node:assert/strict";
import { test } from "node:test";

import type { Plan, World } from "@fairlead/model";
import {
  address,
  findVerdict,
  makeAgents,
  makeClaim,
  makePool,
  makeRanges,
  makeRevisionOf,
  makeWorld,
  nextWorld,
  verdictLine,
} from "@fairlead/testkit";

import { plan } from "./index.ts";

const revisionOf = makeRevisionOf();
const planned = (world: World): Plan => plan(world, { revisionOf });

test("a pool without room says what is held, what rests where a stranger is, and the rest", () => {
  const pools = [
    makePool("lan", "192.0.2.100-192.0.2.104", { reserved: makeRanges("192.0.2.103-192.0.2.104") }),
  ];
  const claims = [makeClaim("a"), makeClaim("b"), makeClaim("c")];
  const world = makeWorld({ claims, pools, agents: [] });
  const first = planned(world);
  const left = nextWorld(world, first, { claims: claims.slice(1) });
  const second = planned(left);
  const heard = { mac: "02:00:00:00:99:99", heardAtMs: world.nowMs };
  const [agent] = makeAgents(1);
  assert.ok(agent !== undefined);
  const agents = [{ ...agent, strangers: new Map([[address("192.0.2.100"), heard]]) }];
  const more = [...claims.slice(1), makeClaim("d", { createdAtMs: 9 })];
  const full = nextWorld(left, second, { claims: more, agents });
  const third = planned(full);
  const { state, main, conditions } = findVerdict(third, "d");
  assert.equal(state, "pending");
  const detail = "no address is free in lan (2 of 3 held, 1 quarantined; 2 more reserved)";
  assert.deepEqual(main, { reason: "PoolExhausted", detail });
  const [allocated] = conditions;
  assert.deepEqual(allocated, {
    type: "AddressAllocated",
    status: "False",
    reason: "PoolExhausted",
    message: `${detail}.`,
  });
});

test("all pools that may serve it are named with their counts", () => {
  const pools = [makePool("blue", "192.0.2.100"), makePool("red", "192.0.2.120-192.0.2.121")];
  const claims = ["a", "b", "c", "d"].map((name, i) => makeClaim(name, { createdAtMs: i }));
  const { main } = findVerdict(planned(makeWorld({ claims, pools, agents: [] })), "d");
  assert.equal(main?.detail, "no address is free in blue (1 of 1 held), red (2 of 2 held)");
});

test("of many that wait those are served first that wait longest, as many as there is room", () => {
  const waiting = ["z", "m", "a", "k"].map((name, i) => makeClaim(name, { createdAtMs: 10 + i }));
  const holders = [makeClaim("x", { createdAtMs: 1 }), makeClaim("y", { createdAtMs: 2 })];
  const pools = [makePool("lan", "192.0.2.100-192.0.2.101")];
  const world = makeWorld({ claims: [...holders, ...waiting], pools, agents: [] });
  const second = planned(nextWorld(world, planned(world), { claims: waiting }));
  const lines = waiting.map(({ name }) => verdictLine(second, name));
  assert.deepEqual(lines, [
    "pending 192.0.2.100 NoAgents",
    "pending 192.0.2.101 NoAgents",
    "pending PoolExhausted",
    "pending PoolExhausted",
  ]);
});
