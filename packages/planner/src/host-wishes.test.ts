// Wishes for addresses of a pool of mode host: one that no host can have is refused, or told of
// beside what is kept; it is never passed over in silence.

import assert from "node:assert/strict";
import { test } from "node:test";

import { type FamilyWish, type Plan, type World, present } from "@fairlead/model";
import {
  address as addressOf,
  findVerdict,
  makeAgents,
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
const pools = [makePool("lan", "192.0.2.100-192.0.2.109, 198.51.100.0/24", { mode: "host" })];
const start = (...wishes: readonly string[]): World =>
  makeWorld({ claims: [makeClaim("web", { wishes })], pools, agents: makeAgents(2) });

const cases = [
  { wish: "203.0.113.9", line: "refused AddressOutsidePools" },
  { wish: "192.0.2.200", line: "refused AddressOutsidePools" },
  { wish: "198.51.100.7", line: "pending NoSegment" },
];
for (const { wish, line } of cases) {
  test(`mode host: a new Service that wishes for ${wish} gets nothing else`, () => {
    const first = planned(start(wish));
    assert.equal(verdictLine(first, "web"), line);
    assert.match(findVerdict(first, "web").main?.detail ?? "", new RegExp(wish));
    const again = planned(nextWorld(start(wish), first));
    assert.deepEqual(again.verdicts, first.verdicts, "planning its own result changes nothing");
  });
}

test("mode host: who is served and wishes for what no host can have keeps all, and is told once", () => {
  const world = start();
  const served = nextWorld(world, planned(world), { agents: proveAll(world, planned(world)) });
  const claims = [makeClaim("web", { wishes: ["203.0.113.9"] })];
  const asked = planned(nextWorld(served, planned(served), { claims }));
  const { main, addresses, remarks } = findVerdict(asked, "web");
  assert.equal(main?.reason, "AddressOutsidePools");
  assert.equal(remarks.filter(({ reason }) => reason === "AddressOutsidePools").length, 0);
  assert.deepEqual(
    addresses.map(({ address, published }) => `${address} ${published}`),
    ["192.0.2.100 true", "192.0.2.101 true"],
  );
});

test("mode host: a pool that becomes one while no agent is known takes no address out of a status", () => {
  const both: FamilyWish = { policy: "RequireDualStack", families: [] };
  const claims = [
    makeClaim("web", { families: both, statusAddresses: [addressOf("2001:db8::101")] }),
  ];
  const before = [makePool("lan", "192.0.2.100, 2001:db8::100-2001:db8::102")];
  const world = makeWorld({ claims, pools: before, agents: [] });
  const edited = [makePool("lan", "192.0.2.100", { mode: "host" })];
  const last = planned(nextWorld(world, planned(world), { pools: edited }));
  assert.equal(last.leases.get(addressOf("2001:db8::101"))?.published, true);
});

test("mode host: what a forgotten agent had of who is refused comes free", () => {
  const world = start();
  const served = nextWorld(world, planned(world), { agents: proveAll(world, planned(world)) });
  const families = { policy: "SingleStack", families: ["ipv4"] } as const;
  const claims = [makeClaim("web", { wishes: ["2001:db8::1"], families })];
  const asking = nextWorld(served, planned(served), { claims });
  const [lb1] = makeAgents(1);
  const agent = present(lb1, "an agent").name;
  const intents = [{ id: "f", sinceMs: 0, kind: "forget", agent } as const];
  const gone = planned(nextWorld(asking, planned(asking), { intents }));
  const { main, addresses } = findVerdict(gone, "web");
  assert.equal(main?.reason, "ConflictingWishes");
  assert.deepEqual(
    addresses.map(({ address, published }) => `${address} ${published}`),
    ["192.0.2.101 true"],
  );
});

test("mode host: a wish that can be had is, and the other one is told of", () => {
  const first = planned(start("192.0.2.105", "203.0.113.9"));
  const { main, remarks, addresses } = findVerdict(first, "web");
  assert.ok([main, ...remarks].some((remark) => remark?.reason === "AddressOutsidePools"));
  assert.deepEqual(addresses.map(({ address }) => address).toSorted(), [
    "192.0.2.100",
    "192.0.2.105",
  ]);
});

test("mode host: each host leaves its old address when its own new one serves, and waits for no other", () => {
  let world = start("192.0.2.100", "192.0.2.101");
  for (let round = 0; round < 2; round += 1) {
    world = nextWorld(world, planned(world), { agents: proveAll(world, planned(world)) });
  }
  const claims = [makeClaim("web", { wishes: ["192.0.2.105", "192.0.2.106"] })];
  const asked = nextWorld(world, planned(world), { claims });
  const both = planned(asked);
  assert.deepEqual(addressesOf(both), ["192.0.2.100", "192.0.2.101", "192.0.2.105", "192.0.2.106"]);
  const half = nextWorld(asked, both, { agents: proveAll(asked, both, { dead: ["lb-2"] }) });
  assert.deepEqual(addressesOf(planned(half)), ["192.0.2.101", "192.0.2.105", "192.0.2.106"]);
});

const mixed = [makePool("net", "192.0.2.200-192.0.2.201"), ...pools];
const wishes = ["192.0.2.200", "192.0.2.105"];

test("a host's own address, wished for after one that floats and is taken, is not given without a host", () => {
  const claims = [
    makeClaim("first", { wishes: ["192.0.2.200"], createdAtMs: 1 }),
    makeClaim("web", { wishes, createdAtMs: 9 }),
  ];
  const made = planned(makeWorld({ claims, pools: mixed, agents: makeAgents(2) }));
  assert.equal(verdictLine(made, "web"), "refused AddressTaken");
  assert.deepEqual(addressesOf(made), []);
});

test("mode host: of wishes in two pools those in the pool that is named are served, on its hosts", () => {
  const claims = [makeClaim("web", { wishes, wishedPool: "lan" })];
  const made = planned(makeWorld({ claims, pools: mixed, agents: makeAgents(2) }));
  assert.deepEqual(addressesOf(made), ["192.0.2.100", "192.0.2.105"]);
  const places = [...made.leases.values()].map(({ placement }) => placement.kind);
  assert.deepEqual(places, ["host", "host"]);
});

test("mode host: a wish of another pool beside those of its own is told of as one that conflicts", () => {
  const claims = [makeClaim("web", { wishes: wishes.toReversed() })];
  const made = planned(makeWorld({ claims, pools: mixed, agents: makeAgents(2) }));
  const { main, remarks } = findVerdict(made, "web");
  const reasons = [main, ...remarks].map((remark) => remark?.reason);
  assert.ok(
    reasons.includes("ConflictingWishes") && !reasons.includes("NoSegment"),
    reasons.join(),
  );
  assert.deepEqual(addressesOf(made), ["192.0.2.100", "192.0.2.105"]);
});

test("mode host: that its pool has no IPv6 is no trouble of a Service that merely prefers both", () => {
  const ipv4 = [makePool("lan", "192.0.2.100-192.0.2.109", { mode: "host" })];
  const made = (families: FamilyWish): Plan => {
    const claims = [makeClaim("web", { families })];
    return planned(makeWorld({ claims, pools: ipv4, agents: makeAgents(2) }));
  };
  const both = findVerdict(made({ policy: "PreferDualStack", families: [] }), "web");
  const reasons = [both.main, ...both.remarks].map((remark) => remark?.reason);
  assert.ok(!reasons.includes("NoSegment"), reasons.join());
  const six = made({ policy: "SingleStack", families: ["ipv6"] });
  assert.equal(verdictLine(six, "web"), "refused FamilyUnavailable");
});

function addressesOf(made: Plan): readonly string[] {
  return findVerdict(made, "web")
    .addresses.map(({ address }) => String(address))
    .toSorted();
}
