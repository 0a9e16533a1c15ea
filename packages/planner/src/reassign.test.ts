// What an edit of a pool does to those who hold addresses of it. Given worlds of testkit in which
// agents prove what they were sent; each story edits the pools and plans on.

import assert from "node:assert/strict";
import { test } from "node:test";

import type { AddressPool } from "@fairlead/model";
import {
  findVerdict,
  makeAgents,
  makeClaim,
  makePool,
  makeRanges,
  makeWorld,
  nextWorld,
  servedRing,
  THREE_CLAIMS,
  WorldRing,
} from "@fairlead/testkit";

import { rememberingPlanner } from "./remembering-planner.ts";

const lan = (ranges: string, options: Parameters<typeof makePool>[2] = {}): AddressPool =>
  makePool("lan", ranges, options);
const reassign = { onShrink: "reassign" } as const;

const served = (pool: AddressPool): WorldRing => servedRing(pool, rememberingPlanner());

test("onShrink: keep leaves what is held where it is, and one finding names it", () => {
  const ring = served(lan("192.0.2.100-192.0.2.109")).edit(lan("192.0.2.101-192.0.2.109"));
  assert.deepEqual(ring.held(), ["a: 192.0.2.100*", "b: 192.0.2.101*", "c: 192.0.2.102*"]);
  const detail = "192.0.2.100 is held outside of what it gives, and kept";
  assert.deepEqual(ring.findings(), [`lan HeldOutside: ${detail}`]);
  assert.equal(findVerdict(ring.planned, "a").state, "ready");
  assert.deepEqual(ring.edit(lan("192.0.2.100-192.0.2.109")).findings(), []);
});

test("onShrink: reassign moves one claim at a time, and none before its new address serves", () => {
  const ring = served(lan("192.0.2.100-192.0.2.109", reassign));
  ring.edit(lan("192.0.2.104-192.0.2.109", reassign));
  const first = ["a: 192.0.2.100* 192.0.2.104", "b: 192.0.2.101*", "c: 192.0.2.102*"];
  assert.deepEqual(ring.held(), first);
  assert.deepEqual(ring.findings(), [
    "lan HeldOutside: 192.0.2.100, 192.0.2.101, 192.0.2.102 are held outside of what it " +
      "gives, and moved one by one",
  ]);
  const said = findVerdict(ring.planned, "a");
  assert.equal(said.state, "ready");
  assert.deepEqual(
    said.remarks.map(({ detail }) => detail),
    [
      "192.0.2.100 is no longer given by its pool; 192.0.2.104 takes its place as soon as it serves",
    ],
  );
  assert.deepEqual(
    findVerdict(ring.planned, "b").remarks.map(({ detail }) => detail),
    ["192.0.2.101 is no longer given by its pool; another one takes its place when its turn comes"],
  );
  // Nobody has proved anything: nothing goes on.
  assert.deepEqual(ring.next({}, true).held(), first);
  assert.deepEqual(ring.next().held(), [
    "a: 192.0.2.104*",
    "b: 192.0.2.101* 192.0.2.105",
    "c: 192.0.2.102*",
  ]);
  assert.deepEqual(ring.next().held(), [
    "a: 192.0.2.104*",
    "b: 192.0.2.105*",
    "c: 192.0.2.102* 192.0.2.106",
  ]);
  assert.deepEqual(ring.next().held(), ["a: 192.0.2.104*", "b: 192.0.2.105*", "c: 192.0.2.106*"]);
  assert.deepEqual(ring.findings(), []);
  assert.deepEqual(ring.next().held(), ["a: 192.0.2.104*", "b: 192.0.2.105*", "c: 192.0.2.106*"]);
});

test("a move goes on after a restart where it was", () => {
  const ring = served(lan("192.0.2.100-192.0.2.109", reassign));
  ring.edit(lan("192.0.2.101-192.0.2.109", reassign));
  const again = new WorldRing(nextWorld(ring.world, ring.planned), rememberingPlanner()).next(
    {},
    true,
  );
  assert.deepEqual(again.held(), [
    "a: 192.0.2.100* 192.0.2.103",
    "b: 192.0.2.101*",
    "c: 192.0.2.102*",
  ]);
  assert.deepEqual(again.next().held(), ["a: 192.0.2.103*", "b: 192.0.2.101*", "c: 192.0.2.102*"]);
});

test("a pool that grows again in the midst of a move leaves the old address in place", () => {
  const ring = served(lan("192.0.2.100-192.0.2.109", reassign));
  ring.edit(lan("192.0.2.101-192.0.2.109", reassign));
  ring.next({ pools: [lan("192.0.2.100-192.0.2.109", reassign)] }, true);
  assert.deepEqual(ring.held(), ["a: 192.0.2.100*", "b: 192.0.2.101*", "c: 192.0.2.102*"]);
});

test("without room for it nobody moves, and that is said", () => {
  const ring = served(lan("192.0.2.100-192.0.2.102", reassign));
  ring.edit(lan("192.0.2.101-192.0.2.102", reassign));
  assert.deepEqual(ring.held(), ["a: 192.0.2.100*", "b: 192.0.2.101*", "c: 192.0.2.102*"]);
  const { state, main } = findVerdict(ring.planned, "a");
  assert.deepEqual([state, main?.reason], ["ready", "PoolExhausted"]);
  assert.equal(main?.detail, "no ipv4 is free in lan (2 of 2 held)");
});

test("who cannot move holds up nobody", () => {
  const picky = makeClaim("a", { createdAtMs: 1, wishedPool: "small" });
  const small = makePool("small", "198.51.100.7", reassign);
  const pools = [lan("192.0.2.100-192.0.2.109", reassign), small];
  const ring = new WorldRing(
    makeWorld({ claims: [picky, ...THREE_CLAIMS.slice(1)], pools }),
    rememberingPlanner(),
  ).next();
  ring.edit(
    lan("192.0.2.101-192.0.2.109", reassign),
    makePool("small", "198.51.100.8", {
      ...reassign,
      reserved: makeRanges("198.51.100.8"),
    }),
  );
  assert.deepEqual(ring.held(), [
    "a: 198.51.100.7*",
    "b: 192.0.2.100* 192.0.2.102",
    "c: 192.0.2.101*",
  ]);
});

test("what becomes reserved moves as what lies outside does", () => {
  const ring = served(lan("192.0.2.100-192.0.2.109", reassign));
  ring.edit(lan("192.0.2.100-192.0.2.109", { ...reassign, reserved: makeRanges("192.0.2.101") }));
  assert.deepEqual(ring.held(), [
    "a: 192.0.2.100*",
    "b: 192.0.2.101* 192.0.2.103",
    "c: 192.0.2.102*",
  ]);
  assert.deepEqual(ring.next().held(), ["a: 192.0.2.100*", "b: 192.0.2.103*", "c: 192.0.2.102*"]);
});

test("two of one sharing key move to one new address", () => {
  const pair = [
    makeClaim("a", { sharingKey: "k", ports: ["tcp/80"] }),
    makeClaim("b", { sharingKey: "k", ports: ["tcp/81"] }),
  ];
  const ring = new WorldRing(
    makeWorld({ claims: pair, pools: [lan("192.0.2.100-192.0.2.109", reassign)] }),
    rememberingPlanner(),
  ).next();
  assert.deepEqual(ring.held(), ["a: 192.0.2.100*", "b: 192.0.2.100*"]);
  ring.edit(lan("192.0.2.105-192.0.2.109", reassign)).next().next().next();
  assert.deepEqual(ring.held(), ["a: 192.0.2.105*", "b: 192.0.2.105*"]);
});

test("who asks for its very address keeps it, whatever the pool says", () => {
  const wishing = makeClaim("a", { wishes: ["192.0.2.100"] });
  const ring = new WorldRing(
    makeWorld({ claims: [wishing], pools: [lan("192.0.2.100-192.0.2.109", reassign)] }),
    rememberingPlanner(),
  ).next();
  ring.edit(lan("192.0.2.105-192.0.2.109", reassign)).next();
  assert.deepEqual(ring.held(), ["a: 192.0.2.100*"]);
});

test("a pool that was asked for by name and shrinks keeps what it gave", () => {
  const asking = makeClaim("a", { wishedPool: "lan" });
  const pools = [lan("192.0.2.100-192.0.2.109")];
  const ring = new WorldRing(makeWorld({ claims: [asking], pools }), rememberingPlanner()).next();
  ring.edit(lan("192.0.2.105-192.0.2.109"), makePool("other", "192.0.2.100-192.0.2.104")).next();
  assert.deepEqual(ring.held(), ["a: 192.0.2.100*"]);
});

test("a pool deleted under use leaves its addresses to their holders, and says so", () => {
  const ring = served(lan("192.0.2.100-192.0.2.109")).edit(makePool("other", "198.51.100.1"));
  assert.deepEqual(ring.held(), ["a: 192.0.2.100*", "b: 192.0.2.101*", "c: 192.0.2.102*"]);
  assert.deepEqual(ring.findings(), [
    "lan HeldOutside: there is no such pool any more; it gave 192.0.2.100, 192.0.2.101, " +
      "192.0.2.102, which are held and kept",
  ]);
});

test("a selector that shuts a holder out takes nothing from it, and names it", () => {
  const ring = served(lan("192.0.2.100-192.0.2.109"));
  ring.edit(lan("192.0.2.100-192.0.2.109", { namespaces: ["shop"] }));
  assert.deepEqual(ring.held(), ["a: 192.0.2.100*", "b: 192.0.2.101*", "c: 192.0.2.102*"]);
  assert.deepEqual(ring.findings(), [
    "lan HeldOutside: it no longer serves those who hold 192.0.2.100 of default/a, 192.0.2.101 of " +
      "default/b, 192.0.2.102 of default/c, and keep them",
  ]);
});

test("autoAssign, priority and avoidBuggyIPs concern newcomers alone", () => {
  const ring = served(lan("192.0.2.100-192.0.2.109"));
  const more = [...THREE_CLAIMS, makeClaim("d"), makeClaim("e", { wishedPool: "lan" })];
  ring.next({
    claims: more,
    pools: [
      lan("192.0.2.100-192.0.2.109", { autoAssign: false, priority: 9, avoidBuggyIPs: true }),
      makePool("low", "192.0.2.150", { priority: -1 }),
    ],
  });
  assert.deepEqual(ring.held(), [
    "a: 192.0.2.100*",
    "b: 192.0.2.101*",
    "c: 192.0.2.102*",
    "d: 192.0.2.150",
    "e: 192.0.2.103",
  ]);
});

test("of two pools of one age that overlap, the one in use stays in use", () => {
  const pools = [lan("192.0.2.100-192.0.2.109")];
  const ring = new WorldRing(
    makeWorld({ claims: THREE_CLAIMS, pools }),
    rememberingPlanner(),
  ).next();
  ring.edit(lan("192.0.2.100-192.0.2.109"), makePool("early", "192.0.2.109-192.0.2.120"));
  const overlap = "192.0.2.109-192.0.2.120 overlaps with 192.0.2.100-192.0.2.109 of pool lan";
  assert.deepEqual(ring.findings(), [`early PoolOverlap: ${overlap}`]);
  // When nobody holds an address of it any more, its name alone decides.
  ring.next({ claims: [] });
  assert.deepEqual(
    ring.findings().map((line) => line.split(":")[0]),
    ["lan PoolOverlap"],
  );
});

test("onShrink: reassign in mode host keeps each host's old address until the new ones serve", () => {
  const host = { ...reassign, mode: "host" } as const;
  const world = makeWorld({
    claims: THREE_CLAIMS.slice(0, 2),
    pools: [lan("192.0.2.100-192.0.2.109", host)],
    agents: makeAgents(2),
  });
  const ring = new WorldRing(world, rememberingPlanner()).next();
  const [a, b] = ["a: 192.0.2.100* 192.0.2.101*", "b: 192.0.2.102* 192.0.2.103*"];
  assert.deepEqual(ring.held(), [a, b]);
  ring.edit(lan("192.0.2.104-192.0.2.109", host));
  // One claim at a time, as elsewhere.
  assert.deepEqual(ring.held(), [`${a} 192.0.2.104 192.0.2.105`, b]);
  assert.equal(findVerdict(ring.planned, "a").state, "ready");
  ring.next({}, true);
  assert.deepEqual(ring.held(), [`${a} 192.0.2.104 192.0.2.105`, b], "nothing was proved");
  ring.next();
  assert.deepEqual(ring.held()[0], "a: 192.0.2.104* 192.0.2.105*");
  ring.next().next();
  assert.deepEqual(ring.held(), ["a: 192.0.2.104* 192.0.2.105*", "b: 192.0.2.106* 192.0.2.107*"]);
});
