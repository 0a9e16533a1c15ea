// Addresses that nodes and API servers have: no claim gets one, who wishes for one hears whose it
// is, and who had it first keeps it. Given worlds of testkit, and what sources say.

import assert from "node:assert/strict";
import { suite, test } from "node:test";

import type { Address, Claim, Plan, World } from "@fairlead/model";
import {
  address,
  findVerdict,
  makeClaim,
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

const NODE = address("192.0.2.100");
const BARRED: ReadonlyMap<Address, string> = new Map([
  [NODE, "is an address of node n1"],
  [address("192.0.2.101"), "is an address of the API server"],
]);
const POOLS = [makePool("default", "192.0.2.100-192.0.2.103")];

/** A world in which all of these are served. */
function served(claims: readonly Claim[]): World {
  const world = makeWorld({ claims, pools: POOLS });
  const first = planned(world);
  const proved = nextWorld(world, first, { agents: proveAll(world, first) });
  return nextWorld(proved, planned(proved));
}

suite("an address of a node or of the API server", () => {
  test("is left out of a pool that contains it", () => {
    const claims = ["a", "b", "c"].map((name) => makeClaim(name));
    const last = planned(makeWorld({ claims, pools: POOLS, barred: BARRED }));
    assert.equal(verdictLine(last, "a"), "pending 192.0.2.102 WaitingForAgent");
    assert.equal(verdictLine(last, "b"), "pending 192.0.2.103 WaitingForAgent");
    assert.equal(
      findVerdict(last, "c").main?.detail,
      "no address is free in default (2 of 4 held, 2 unusable)",
    );
  });

  for (const [wish, whose] of BARRED) {
    test(`is refused to who wishes for ${wish}, with whose it is`, () => {
      const claims = [makeClaim("web", { wishes: [wish] })];
      const last = planned(makeWorld({ claims, pools: POOLS, barred: BARRED }));
      assert.equal(verdictLine(last, "web"), "refused BadAddress");
      assert.equal(findVerdict(last, "web").main?.detail, `${wish} ${whose}`);
    });
  }

  test("is given as soon as the node has left the cluster", () => {
    const claims = [makeClaim("web", { wishes: [NODE] })];
    const world = makeWorld({ claims, pools: POOLS, barred: BARRED });
    const later = nextWorld(world, planned(world), { barred: new Map() });
    assert.equal(verdictLine(planned(later), "web"), "pending 192.0.2.100 WaitingForAgent");
  });

  test("stays with the Service that had it first, and that is told", () => {
    const world = served([makeClaim("web")]);
    const last = planned(nextWorld(world, planned(world), { barred: BARRED }));
    assert.equal(verdictLine(last, "web"), "ready 192.0.2.100");
    const found = last.findings.map(({ name, reason, detail }) => `${reason} ${name}: ${detail}`);
    assert.equal(found.length, 1, found.join());
    assert.match(
      found[0] ?? "",
      /^HeldOutside 192\.0\.2\.100: .* default\/web since .*, and is an address of node n1$/,
    );
  });

  test("stays with the Service whose status has it when the store is lost", () => {
    const claims = [{ ...makeClaim("web"), statusAddresses: [NODE] }];
    const last = planned(makeWorld({ claims, pools: POOLS, barred: BARRED }));
    assert.match(verdictLine(last, "web"), /^ready 192\.0\.2\.100 /);
  });

  test("is not what a Service gets back because one of its name had it", () => {
    let world = served([makeClaim("web")]);
    // Deleted, and every agent has let go of it.
    for (let round = 0; round < 3; round += 1) {
      const last = planned({ ...world, claims: new Map() });
      world = nextWorld(world, last, { claims: [], agents: proveAll(world, last) });
    }
    assert.equal(world.leases.get(NODE)?.state.kind, "quarantined");
    const again = [makeClaim("web", { uid: "another" })];
    const free = planned(nextWorld(world, planned(world), { claims: again }));
    assert.match(verdictLine(free, "web"), /192\.0\.2\.100/, "it would, while it is no node's");
    const barred = planned(nextWorld(world, planned(world), { claims: again, barred: BARRED }));
    assert.match(verdictLine(barred, "web"), /192\.0\.2\.102/);
  });
});
