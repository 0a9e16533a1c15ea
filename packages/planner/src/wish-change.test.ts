// What becomes of who asks for another address than the one that he has: he keeps the old one until
// the new one serves, and waits for nobody. Given worlds of testkit that go on by plans.

import assert from "node:assert/strict";
import { test } from "node:test";

import { type Claim, parseAddress, present } from "@fairlead/model";
import {
  findVerdict,
  makeAgents,
  makeClaim,
  makePool,
  makeWorld,
  nextWorld,
  proveAll,
  servedRing,
  THREE_CLAIMS,
  WorldRing,
} from "@fairlead/testkit";

import { rememberingPlanner } from "./remembering-planner.ts";

test("who asks for another address keeps the old one until that serves, and waits for nobody", () => {
  const ring = servedRing(makePool("lan", "192.0.2.100-192.0.2.109"), rememberingPlanner());
  const asking = THREE_CLAIMS.map((claim, index) => {
    const wishes = [`192.0.2.${105 + index}`];
    return makeClaim(claim.name, { createdAtMs: index + 1, wishes });
  });
  const frozen = [{ id: "f", kind: "freeze", sinceMs: 1 }] as const;
  ring.next({ claims: asking, intents: frozen }, true).next({}, true);
  assert.deepEqual(ring.held(), [
    "a: 192.0.2.100* 192.0.2.105",
    "b: 192.0.2.101* 192.0.2.106",
    "c: 192.0.2.102* 192.0.2.107",
  ]);
  const said = findVerdict(ring.planned, "a");
  assert.equal(said.state, "ready");
  assert.deepEqual(said.remarks, [
    {
      reason: "WaitingForAgent",
      detail: "192.0.2.105 is asked for, and takes the place of 192.0.2.100 as soon as it serves",
    },
  ]);
  ring.next();
  assert.deepEqual(ring.held(), ["a: 192.0.2.105*", "b: 192.0.2.106*", "c: 192.0.2.107*"]);
  assert.deepEqual(findVerdict(ring.planned, "a").remarks, []);
});

test("who asks for another address, and then for what is not to be had, keeps the one that serves", () => {
  const ring = servedRing(makePool("lan", "192.0.2.100-192.0.2.109"), rememberingPlanner());
  ring.next({ claims: [makeClaim("a", { createdAtMs: 1, wishes: ["192.0.2.105"] })] });
  assert.deepEqual(ring.held(), ["a: 192.0.2.100* 192.0.2.105"]);
  const impossible = makeClaim("a", {
    createdAtMs: 1,
    wishes: ["198.51.100.1"],
    families: { policy: "RequireDualStack", families: [] },
  });
  ring.next({ claims: [impossible] }, true);
  assert.deepEqual(ring.held(), ["a: 192.0.2.100*"]);
  assert.equal(findVerdict(ring.planned, "a").main?.reason, "FamilyUnavailable");
  assert.deepEqual(ring.next().held(), ["a: 192.0.2.100*"]);
});

test("who asks for an address that becomes one of a pool keeps the old one until that serves", () => {
  const asking: Claim = {
    ...makeClaim("a", { wishes: ["192.0.2.105"] }),
    statusAddresses: [present(parseAddress("192.0.2.100"), "an address")],
  };
  const small = makePool("lan", "192.0.2.100-192.0.2.104");
  const ring = new WorldRing(
    makeWorld({ claims: [asking], pools: [small] }),
    rememberingPlanner(),
  ).next();
  assert.deepEqual(ring.held(), ["a: 192.0.2.100*"]);
  ring.edit(makePool("lan", "192.0.2.100-192.0.2.109"));
  assert.deepEqual(ring.held(), ["a: 192.0.2.100* 192.0.2.105"]);
  assert.deepEqual(ring.next().held(), ["a: 192.0.2.105*"]);
});

test("a pool that is no more of mode host leaves what clients know until the wish is served", () => {
  const asking = makeClaim("a", { wishes: ["192.0.2.100"] });
  const range = "192.0.2.100-192.0.2.101";
  const pools = [makePool("lan", range, { mode: "host" })];
  const ring = new WorldRing(
    makeWorld({ claims: [asking], pools, agents: makeAgents(2) }),
    rememberingPlanner(),
  );
  const agents = proveAll(nextWorld(ring.world, ring.planned), ring.planned, { dead: ["lb-1"] });
  ring.next({ agents });
  assert.deepEqual(ring.held(), ["a: 192.0.2.100 192.0.2.101*"]);
  ring.next({ agents, pools: [makePool("lan", range)] });
  assert.deepEqual(ring.held(), ["a: 192.0.2.100 192.0.2.101*"]);
  // The host of the one that is asked for comes back.
  const all = nextWorld(ring.world, ring.planned, { agents: makeAgents(2) });
  ring.next({ agents: proveAll(all, ring.planned) });
  assert.deepEqual(ring.held(), ["a: 192.0.2.100*"]);
});
