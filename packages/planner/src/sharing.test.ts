// Several Services on one address: who may join, who keeps working, and what the other is told.

import assert from "node:assert/strict";
import { test } from "node:test";

import type { Claim, Plan, World } from "@fairlead/model";
import {
  findVerdict,
  makeClaim,
  makePool,
  makeRevisionOf,
  makeWorld,
  nextWorld,
  verdictLine,
} from "@fairlead/testkit";

import { plan } from "./index.ts";

const revisionOf = makeRevisionOf();
const planned = (world: World): Plan => plan(world, { revisionOf });
const older = { sharingKey: "k", createdAtMs: 1 };
const newer = { sharingKey: "k", createdAtMs: 2 };
const web = makeClaim("web", { ...older, ports: ["tcp/80"] });
const dns = makeClaim("dns", { ...newer, ports: ["udp/53"] });

/** Plans the claims one after another, as they come. */
function inTurn(claims: readonly Claim[], options: Parameters<typeof makeWorld>[0] = {}): Plan {
  let world = makeWorld({ ...options, claims: claims.slice(0, 1) });
  let last = planned(world);
  for (let i = 2; i <= claims.length; i++) {
    world = nextWorld(world, last, { claims: claims.slice(0, i) });
    last = planned(world);
  }
  return last;
}

function listenersOf(last: Plan): readonly string[] {
  const [first] = last.nodePlans.values();
  return [...(first?.resources.keys() ?? [])].filter((name) => name.startsWith("listener/")).sort();
}

test("two Services with one key and different ports share one address", () => {
  const last = inTurn([web, dns]);
  assert.equal(verdictLine(last, "web"), "pending 192.0.2.100 WaitingForAgent");
  assert.equal(verdictLine(last, "dns"), "pending 192.0.2.100 WaitingForAgent");
  assert.deepEqual(listenersOf(last), [
    "listener/192.0.2.100/tcp/80",
    "listener/192.0.2.100/udp/53",
  ]);
  assert.equal(last.leases.size, 1);
});

test("a Service whose ports clash joins the next address of its key, or a fresh one", () => {
  const other = makeClaim("other", { ports: ["tcp/80"], sharingKey: "k", createdAtMs: 3 });
  const third = makeClaim("third", { ports: ["tcp/80"], sharingKey: "k", createdAtMs: 4 });
  const last = inTurn([web, other, third]);
  assert.equal(verdictLine(last, "other"), "pending 192.0.2.101 WaitingForAgent");
  assert.equal(verdictLine(last, "third"), "pending 192.0.2.102 WaitingForAgent");
});

const refusals = [
  {
    name: "a Service without a key does not join",
    joining: makeClaim("j", { ports: ["udp/53"], wishes: ["192.0.2.100"] }),
    expect: "refused AddressTaken",
  },
  {
    name: "another key does not join",
    joining: makeClaim("j", { ports: ["udp/53"], wishes: ["192.0.2.100"], sharingKey: "other" }),
    expect: "refused SharingRefused",
  },
  {
    name: "a port that is taken does not join, and the first keeps working",
    joining: makeClaim("j", { ports: ["tcp/80"], wishes: ["192.0.2.100"], sharingKey: "k" }),
    expect: "refused SharingRefused",
  },
];

for (const { name, joining, expect } of refusals) {
  test(name, () => {
    const last = inTurn([web, joining]);
    assert.equal(verdictLine(last, "j"), expect);
    assert.match(findVerdict(last, "j").main?.detail ?? "", /default\/web/);
    assert.deepEqual(listenersOf(last), ["listener/192.0.2.100/tcp/80"]);
  });
}

test("a pool that allows no sharing gives every Service its own address", () => {
  const pools = [makePool("default", "192.0.2.100-192.0.2.101", { sharing: "never" })];
  const last = inTurn([web, dns], { pools });
  assert.equal(verdictLine(last, "dns"), "pending 192.0.2.101 WaitingForAgent");
});

test("who has a port keeps it when another one on the address asks for it too", () => {
  const world = makeWorld({ claims: [web, dns] });
  const first = planned(world);
  const greedy = makeClaim("web", { ...older, ports: ["tcp/80", "udp/53"] });
  const second = planned(nextWorld(world, first, { claims: [greedy, dns] }));
  assert.equal(verdictLine(second, "web"), "pending 192.0.2.100 SharingRefused");
  assert.equal(
    findVerdict(second, "web").main?.detail,
    "192.0.2.100 port 53/UDP is held by default/dns since 1970-01-01T00:16:40Z",
  );
  // What web had goes on being served.
  assert.deepEqual(listenersOf(second), listenersOf(first));
});

test("who is refused hears since when each of the others is there, whoever has left", () => {
  const world = makeWorld({ claims: [web] });
  const joined = nextWorld(world, planned(world), {
    claims: [web, dns],
    nowMs: world.nowMs + 60_000,
  });
  const wish = makeClaim("late", { ports: ["udp/53"], wishes: ["192.0.2.100"], createdAtMs: 9 });
  const all = nextWorld(joined, planned(joined), {
    claims: [web, dns, wish],
    nowMs: world.nowMs + 90_000,
  });
  const refused = planned(all);
  assert.equal(
    findVerdict(refused, "late").main?.detail,
    "192.0.2.100 is held by default/dns since 1970-01-01T00:17:40Z, " +
      "default/web since 1970-01-01T00:16:40Z",
  );
  const keyed = makeClaim("late", {
    ports: ["udp/53"],
    wishes: ["192.0.2.100"],
    sharingKey: "k",
    createdAtMs: 9,
  });
  // dns got another port meanwhile, which makes it no newcomer.
  const wider = makeClaim("dns", { ...newer, ports: ["tcp/53", "udp/53"] });
  const left = planned(nextWorld(all, refused, { claims: [wider, keyed] }));
  assert.equal(
    findVerdict(left, "late").main?.detail,
    "192.0.2.100 port 53/UDP is held by default/dns since 1970-01-01T00:17:40Z",
  );
});

test("two that ask for one port at once: the older one gets it", () => {
  const world = makeWorld({ claims: [web, dns] });
  const first = planned(world);
  const claims = [
    makeClaim("web", { ...older, ports: ["tcp/443", "tcp/80"] }),
    makeClaim("dns", { ...newer, ports: ["tcp/443", "udp/53"] }),
  ];
  const second = planned(nextWorld(world, first, { claims }));
  assert.equal(verdictLine(second, "web"), "pending 192.0.2.100 WaitingForAgent");
  assert.equal(verdictLine(second, "dns"), "pending 192.0.2.100 SharingRefused");
});

test("a Service that leaves a shared address leaves the other as it is", () => {
  const world = makeWorld({ claims: [web, dns] });
  const first = planned(world);
  const second = planned(nextWorld(world, first, { claims: [dns] }));
  const [row] = second.leases.values();
  assert.deepEqual(
    row?.owners.map(({ claim }) => claim),
    ["service/default/dns"],
  );
  assert.deepEqual(listenersOf(second), ["listener/192.0.2.100/udp/53"]);
});

test("a Service that changes its key leaves a shared address", () => {
  const world = makeWorld({ claims: [web, dns] });
  const first = planned(world);
  const moved = makeClaim("dns", { ...newer, ports: ["udp/53"], sharingKey: "own" });
  const second = planned(nextWorld(world, first, { claims: [web, moved] }));
  assert.equal(verdictLine(second, "web"), "pending 192.0.2.100 WaitingForAgent");
  assert.equal(verdictLine(second, "dns"), "pending 192.0.2.101 WaitingForAgent");
});
