// Exports of stores as they are in use, brought in again where they were made and into an empty
// store with the same pools: several addresses of one Service, hosts' own ones, those of an IPAM
// and those that no pool gives any more. And what is wrong with such a file all the same.

import assert from "node:assert/strict";
import { test } from "node:test";

import { type LeasedAddress, present, type World } from "@fairlead/model";
import { plan } from "@fairlead/planner";
import {
  address,
  makeAgents,
  makeClaim,
  makePool,
  makeRevisionOf,
  makeWorld,
  nextWorld,
  servedRing,
  WorldRing,
} from "@fairlead/testkit";

import { comesBack, emptied, imported, throughFile, whyNot } from "./import-cases.ts";

const LAN = "192.0.2.100-192.0.2.109";
const reassign = { onShrink: "reassign" } as const;

/** The world with what was planned for it in the store. */
function storedIn(ring: WorldRing): World {
  return nextWorld(ring.world, ring.planned);
}

/** Where web is served on each of three hosts, by an address of its own. */
function hostWorld(): World {
  const pools = [makePool("hosts", LAN, { mode: "host" })];
  const ring = new WorldRing(makeWorld({ pools, claims: [makeClaim("web")] }), plan).next();
  assert.deepEqual(ring.held(), ["web: 192.0.2.100* 192.0.2.101* 192.0.2.102*"]);
  return storedIn(ring);
}

/** Where web asks for another address than it has, and the new one does not serve yet. */
function wishingWorld(): World {
  const pools = [makePool("lan", LAN)];
  const ring = new WorldRing(makeWorld({ pools, claims: [makeClaim("web")] }), plan).next();
  const claim = makeClaim("web", { wishes: ["192.0.2.105"] });
  ring.next({ claims: [claim] });
  assert.deepEqual(ring.held(), ["web: 192.0.2.100* 192.0.2.105"]);
  return storedIn(ring);
}

/** Where a leaves an address that its pool gives no more. */
function shrinkingWorld(): World {
  const ring = servedRing(makePool("lan", LAN, reassign), plan);
  ring.edit(makePool("lan", "192.0.2.101-192.0.2.109", reassign));
  assert.deepEqual(ring.held(), [
    "a: 192.0.2.100* 192.0.2.103",
    "b: 192.0.2.101*",
    "c: 192.0.2.102*",
  ]);
  return storedIn(ring);
}

test("a Service with an address on each host comes back with all of them", () => {
  comesBack(hostWorld());
});

test("hosts' own addresses come back when their pool is for lanes by now and no source is heard", () => {
  const pools = [makePool("hosts", LAN)];
  comesBack({ ...hostWorld(), pools, claims: new Map() });
});

test("a Service that is about to leave for the address that it wishes comes back with both", () => {
  comesBack(wishingWorld());
});

test("a Service that is about to leave what its pool gives no more comes back with both", () => {
  comesBack(shrinkingWorld());
});

test("a Service that is about to leave its lane for hosts comes back with all it has", () => {
  const pools = [
    makePool("lan", LAN),
    makePool("hosts", "192.0.2.110-192.0.2.119", { mode: "host" }),
  ];
  const claim = makeClaim("web", { wishedPool: "lan" });
  const ring = new WorldRing(makeWorld({ pools, claims: [claim] }), plan).next();
  ring.next({ claims: [makeClaim("web", { wishedPool: "hosts" })] });
  assert.deepEqual(ring.held(), ["web: 192.0.2.100* 192.0.2.110 192.0.2.111 192.0.2.112"]);
  comesBack(storedIn(ring));
});

test("addresses that an IPAM has given come back, and one that it has not is refused", () => {
  const URL = "http://ipam.example";
  const external = { url: URL, class: "edge", families: ["ipv4"], renewMs: 60_000 } as const;
  const pool = { ...makePool("outside", LAN, { external }), ranges: [] };
  const revisionOf = makeRevisionOf();
  let world = makeWorld({ pools: [pool], claims: [makeClaim("web")] });
  world = nextWorld(world, plan(world, { revisionOf }));
  const [asked] = world.intents;
  assert.ok(asked?.kind === "register");
  const given = { kind: "granted", address: address("203.0.113.7") } as const;
  const ipam = { registrations: new Map([[asked.uuid, given]]), troubles: new Map() };
  world = nextWorld({ ...world, ipam }, plan({ ...world, ipam }, { revisionOf }));
  assert.deepEqual([...world.leases.keys()], ["203.0.113.7"]);
  comesBack(world);
  const bare: World = {
    ...emptied(world),
    intents: [],
    ipam: { ...ipam, registrations: new Map() },
  };
  assert.deepEqual(whyNot(bare, throughFile(world)), [
    "203.0.113.7: the IPAM of pool outside has not given it that address",
  ]);
});

test("a host's own address that Services share comes back where that host is", () => {
  const { settings } = makeWorld();
  const claims = [makeClaim("web"), makeClaim("dns", { ports: ["udp/53"] })];
  const own = { settings: { ...settings, sharesOwnAddress: true }, pools: [] };
  const ring = new WorldRing(makeWorld({ ...own, claims, agents: makeAgents(1) }), plan).next();
  assert.deepEqual(ring.held(), ["dns: 192.0.2.11*", "web: 192.0.2.11*"]);
  const world = storedIn(ring);
  comesBack(world);
  assert.deepEqual(whyNot({ ...emptied(world), agents: new Map() }, throughFile(world)), [
    "192.0.2.11: there is no pool own-address that is used",
  ]);
});

test("of two pools that overlap the one whose addresses come in is used", () => {
  const pool = makePool("lan", LAN);
  const ring = servedRing(pool, plan).edit(pool, makePool("a-rival", "192.0.2.105-192.0.2.120"));
  comesBack(storedIn(ring));
});

for (const { name, edited, why } of [
  {
    name: "shrunk",
    edited: [makePool("lan", "192.0.2.101-192.0.2.109")],
    why: "192.0.2.100 lies in no pool that is used",
  },
  {
    name: "deleted",
    edited: [makePool("zone", "192.0.2.101-192.0.2.109")],
    why: "192.0.2.100: there is no pool lan that is used",
  },
]) {
  test(`an address kept after its pool was ${name} holds up no import where it is`, () => {
    const ring = servedRing(makePool("lan", LAN), plan).edit(...edited);
    const world = storedIn(ring);
    const file = throughFile(world);
    assert.deepEqual(imported(world, file).leases, []);
    const kept = file.filter((lease) => lease.address === "192.0.2.100");
    assert.equal(kept.length, 1);
    assert.deepEqual(whyNot(emptied(world), kept), [why]);
    const [lease] = kept;
    const other = makeClaim("other");
    const owners = [{ claim: other.id, uid: other.uid, ports: [] }];
    const pool = present(edited[0], "a pool").name;
    const fresh = { ...present(lease, "it"), address: address("192.0.2.109"), owners, pool };
    const came = imported(world, [...file, fresh]);
    assert.deepEqual(came.leases, [fresh], "beside it others come in");
  });
}

test("what rests comes back, whatever became of its pool", () => {
  const ring = servedRing(makePool("lan", LAN), plan).next({ claims: [] }).next();
  const world = storedIn(ring.next());
  const states = Array.from(world.leases.values(), ({ state }) => state.kind);
  assert.deepEqual(states, ["quarantined", "quarantined", "quarantined"]);
  comesBack({ ...world, pools: [makePool("zone", "198.51.100.0/28")] });
});

/** The lease of the address in the file of the world. */
function leaseOf(world: World, text: string): LeasedAddress {
  const found = throughFile(world).find((lease) => lease.address === text);
  return present(found, `a lease of ${text}`);
}

test("two addresses that both serve are no move: one claim of one pool has one of them", () => {
  const world = wishingWorld();
  const both = throughFile(world).map((lease) => ({ ...lease, published: true }));
  const why = ["192.0.2.105: default/web has 192.0.2.100"];
  assert.deepEqual(whyNot(emptied(world), both), why);
});

test("a file that knows one end of a move alone does not make another one here", () => {
  const world = wishingWorld();
  const old = { ...leaseOf(world, "192.0.2.100"), address: address("192.0.2.101") };
  const why = ["192.0.2.101: default/web has 192.0.2.100"];
  assert.deepEqual(whyNot(world, [old]), why);
});

test("a move that is over does not begin again by a file of the time before", () => {
  const before = wishingWorld();
  const claims = [makeClaim("web", { wishes: ["192.0.2.105"] })];
  const ring = new WorldRing({ ...before, claims: makeWorld({ claims }).claims }, plan).next();
  assert.deepEqual(ring.held(), ["web: 192.0.2.105*"]);
  const why = ["192.0.2.100: default/web has 192.0.2.105"];
  assert.deepEqual(whyNot(storedIn(ring), throughFile(before)), why);
});

test("an address outside of its pool is no end of a move of somebody who has no other", () => {
  const world = shrinkingWorld();
  const why = ["192.0.2.100 lies in no pool that is used"];
  assert.deepEqual(whyNot(emptied(world), [leaseOf(world, "192.0.2.100")]), why);
});

test("a host has one address of a Service, by the file and by what is here", () => {
  const world = hostWorld();
  const first = leaseOf(world, "192.0.2.100");
  assert.equal(first.sentTo.length, 1);
  const more = { ...first, address: address("192.0.2.109") };
  const why = ["192.0.2.109: default/web has 192.0.2.100"];
  assert.deepEqual(whyNot(world, [more]), why);
  assert.deepEqual(whyNot(emptied(world), [first, more]), why);
  const elsewhere = {
    ...more,
    sentTo: makeAgents(4)
      .slice(3)
      .map(({ name }) => name),
  };
  assert.deepEqual(whyNot(world, [elsewhere]), []);
});
