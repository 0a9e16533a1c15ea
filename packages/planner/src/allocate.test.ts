// Who gets which address, as operators meet it: each story is a first plan, perhaps a change, and
// what `status` says then. Given worlds of testkit; nobody has reported, so all are pending.

import assert from "node:assert/strict";
import { test } from "node:test";

import type { Claim, Plan, World } from "@fairlead/model";
import {
  findVerdict,
  makeAgents,
  makeClaim,
  makePool,
  makeRanges,
  makeRevisionOf,
  makeWorld,
  nextWorld,
  proveAll,
  verdictLine,
  type WorldOptions,
} from "@fairlead/testkit";

import { plan } from "./index.ts";

const revisionOf = makeRevisionOf();
const planned = (world: World): Plan => plan(world, { revisionOf });

interface Story {
  readonly name: string;
  readonly world: WorldOptions;
  /** Claims of the second plan; one of the same name is replaced. */
  readonly second?: readonly Claim[];
  readonly later?: WorldOptions;
  /** State, addresses and reason by name after the last plan. */
  readonly expect: Readonly<Record<string, string>>;
}

const one = [makePool("default", "192.0.2.100")];
const WAITING = "WaitingForAgent";

const stories: readonly Story[] = [
  {
    name: "the lowest free address is given, the oldest claim first",
    world: {
      claims: [makeClaim("young", { createdAtMs: 9 }), makeClaim("old", { createdAtMs: 3 })],
    },
    expect: { old: `pending 192.0.2.100 ${WAITING}`, young: `pending 192.0.2.101 ${WAITING}` },
  },
  {
    name: "a wish is served before the lowest free, whoever is older",
    world: {
      claims: [makeClaim("a"), makeClaim("b", { wishes: ["192.0.2.100"], createdAtMs: 9999 })],
    },
    expect: { a: `pending 192.0.2.101 ${WAITING}`, b: `pending 192.0.2.100 ${WAITING}` },
  },
  {
    name: "an address asked for twice goes to the older one",
    world: {
      claims: [
        makeClaim("late", { wishes: ["192.0.2.110"], createdAtMs: 9 }),
        makeClaim("first", { wishes: ["192.0.2.110"], createdAtMs: 3 }),
      ],
    },
    expect: { first: `pending 192.0.2.110 ${WAITING}`, late: "refused AddressTaken" },
  },
  {
    name: "an older claim that comes later takes nothing from who holds it",
    world: { claims: [makeClaim("web")], pools: one },
    second: [makeClaim("ancient", { createdAtMs: 1, wishes: ["192.0.2.100"] })],
    expect: { web: `pending 192.0.2.100 ${WAITING}`, ancient: "refused AddressTaken" },
  },
  {
    name: "an address of no pool is refused",
    world: { claims: [makeClaim("web", { wishes: ["203.0.113.7"] })] },
    expect: { web: "refused AddressOutsidePools" },
  },
  {
    name: "a multicast address is refused",
    world: { claims: [makeClaim("web", { wishes: ["224.0.0.7"] })] },
    expect: { web: "refused BadAddress" },
  },
  {
    name: "a load balancer's own address is refused, and never given",
    world: {
      claims: [makeClaim("web"), makeClaim("wish", { wishes: ["192.0.2.11"] })],
      pools: [makePool("default", "192.0.2.11-192.0.2.14")],
    },
    expect: { web: `pending 192.0.2.14 ${WAITING}`, wish: "refused BadAddress" },
  },
  {
    name: "a network's first and last address are never given",
    world: {
      claims: [makeClaim("a"), makeClaim("wish", { wishes: ["192.0.2.255"] })],
      pools: [makePool("default", "192.0.2.0/24")],
    },
    expect: { a: `pending 192.0.2.1 ${WAITING}`, wish: "refused BadAddress" },
  },
  {
    name: "reserved addresses are left out, even when asked for",
    world: {
      claims: [makeClaim("a"), makeClaim("wish", { wishes: ["192.0.2.100"] })],
      pools: [
        makePool("default", "192.0.2.100-192.0.2.103", {
          reserved: makeRanges("192.0.2.100-192.0.2.102"),
        }),
      ],
    },
    expect: { a: `pending 192.0.2.103 ${WAITING}`, wish: "refused AddressOutsidePools" },
  },
  {
    name: "avoidBuggyIPs leaves out .0 and .255",
    world: {
      claims: [makeClaim("a"), makeClaim("b")],
      pools: [makePool("default", "10.0.0.254-10.0.1.1", { avoidBuggyIPs: true })],
      agents: [],
    },
    expect: { a: "pending 10.0.0.254 NoAgents", b: "pending 10.0.1.1 NoAgents" },
  },
  {
    name: "who finds a full pool waits, and is told its name",
    world: { claims: [makeClaim("a"), makeClaim("b")], pools: one },
    expect: { a: `pending 192.0.2.100 ${WAITING}`, b: "pending PoolExhausted" },
  },
  {
    name: "the pool of higher priority is tried first, the other when it is full",
    world: {
      claims: [makeClaim("a"), makeClaim("b")],
      pools: [makePool("zebra", "192.0.2.120", { priority: 5 }), ...one],
    },
    expect: { a: `pending 192.0.2.120 ${WAITING}`, b: `pending 192.0.2.100 ${WAITING}` },
  },
  {
    name: "a pool without autoAssign serves only those that name it or its address",
    world: {
      claims: [
        makeClaim("any"),
        makeClaim("by-name", { wishedPool: "special" }),
        makeClaim("by-address", { wishes: ["192.0.2.121"] }),
      ],
      pools: [makePool("special", "192.0.2.120-192.0.2.121", { autoAssign: false })],
    },
    expect: {
      any: "refused NoPool",
      "by-name": `pending 192.0.2.120 ${WAITING}`,
      "by-address": `pending 192.0.2.121 ${WAITING}`,
    },
  },
  {
    name: "a pool that does not exist is named",
    world: { claims: [makeClaim("web", { wishedPool: "nowhere" })] },
    expect: { web: "refused UnknownPool" },
  },
  {
    name: "a pool for one namespace serves no other",
    world: {
      claims: [makeClaim("shop/a"), makeClaim("b")],
      pools: [makePool("default", "192.0.2.100-192.0.2.101", { namespaces: ["shop"] })],
    },
    expect: { "shop/a": `pending 192.0.2.100 ${WAITING}`, b: "refused NoPool" },
  },
  {
    name: "a pool that selects by labels serves who carries them",
    world: {
      claims: [makeClaim("a", { labels: { tier: "gold" } }), makeClaim("b")],
      pools: [
        makePool("default", "192.0.2.100-192.0.2.101", {
          serviceSelector: { matchLabels: { tier: "gold" }, matchExpressions: [] },
        }),
      ],
    },
    expect: { a: `pending 192.0.2.100 ${WAITING}`, b: "refused NoPool" },
  },
  {
    name: "a claim moves to the address that it asks for later",
    world: { claims: [makeClaim("web")] },
    second: [makeClaim("web", { wishes: ["192.0.2.150"] })],
    expect: { web: `pending 192.0.2.150 ${WAITING}` },
  },
  {
    name: "a claim that asks for a taken address keeps its own and says so",
    world: { claims: [makeClaim("web"), makeClaim("dns")] },
    second: [makeClaim("web", { wishes: ["192.0.2.100"] })],
    expect: { web: `pending 192.0.2.101 ${WAITING}` },
  },
  {
    name: "a claim that turns bad keeps its address",
    world: { claims: [makeClaim("web")] },
    second: [
      makeClaim("web", {
        refusals: [{ reason: "SourceRangesNotEnforced", detail: "10.0.0.0/8" }],
      }),
      makeClaim("other", { wishes: ["192.0.2.100"] }),
    ],
    expect: { web: "refused 192.0.2.100 SourceRangesNotEnforced", other: "refused AddressTaken" },
  },
  {
    name: "a pool that goes leaves its addresses with their holders",
    world: { claims: [makeClaim("web")] },
    later: { pools: [makePool("other", "192.0.2.50")] },
    expect: { web: `pending 192.0.2.100 ${WAITING}` },
  },
  {
    name: "a pool that shrinks with onShrink: reassign moves its holders",
    world: {
      claims: [makeClaim("web")],
      pools: [makePool("default", "192.0.2.100-192.0.2.110", { onShrink: "reassign" })],
    },
    later: { pools: [makePool("default", "192.0.2.105-192.0.2.110", { onShrink: "reassign" })] },
    expect: { web: `pending 192.0.2.105 ${WAITING}` },
  },
  {
    name: "another datapath than nginx is refused for now",
    world: {
      claims: [makeClaim("web", { policy: { ...makeClaim("x").policy, datapath: "kernel" } })],
    },
    expect: { web: "refused DatapathUnavailable" },
  },
  {
    name: "no pool at all",
    world: { claims: [makeClaim("web")], pools: [] },
    expect: { web: "refused NoPool" },
  },
];

for (const story of stories) {
  test(story.name, () => {
    let world = makeWorld(story.world);
    let last = planned(world);
    if (story.second !== undefined || story.later !== undefined) {
      const claims = new Map(world.claims);
      for (const claim of story.second ?? []) claims.set(claim.id, claim);
      world = nextWorld(world, last, { claims: [...claims.values()], ...story.later });
      last = planned(world);
    }
    const said = Object.keys(story.expect).map((name) => [name, verdictLine(last, name)]);
    assert.deepEqual(Object.fromEntries(said), story.expect);
  });
}

test("the holder of a taken address is named", () => {
  const claims = [makeClaim("shop/dns"), makeClaim("web", { wishes: ["192.0.2.100"] })];
  const first = planned(makeWorld({ claims: claims.slice(0, 1) }));
  const world = nextWorld(makeWorld({ claims }), first);
  const { main } = findVerdict(planned(world), "web");
  assert.equal(main?.detail, "192.0.2.100 is held by shop/dns since 1970-01-01T00:16:40Z");
});

test("a Service deleted and made again gets its address back while it rests", () => {
  const world = makeWorld({ claims: [makeClaim("web", { wishes: ["192.0.2.150"] })] });
  const first = planned(world);
  const gone = nextWorld(world, first, { claims: [], agents: [] });
  const second = planned(gone);
  const again = makeClaim("web", { uid: "another" });
  const third = planned(nextWorld(gone, second, { claims: [again, makeClaim("new")] }));
  assert.equal(verdictLine(third, "web"), "pending 192.0.2.150 AgentUnreachable");
  assert.equal(verdictLine(third, "new"), "pending 192.0.2.100 NoAgents");
});

test("resting addresses are given when nothing else is free, the oldest first", () => {
  const pools = [makePool("default", "192.0.2.100-192.0.2.101")];
  const claims = [makeClaim("a"), makeClaim("b")];
  const world = makeWorld({ claims, pools, agents: [] });
  const first = planned(world);
  const onlyB = nextWorld(world, first, { claims: claims.slice(1) });
  const second = planned(onlyB);
  const none = nextWorld(onlyB, second, { claims: [], nowMs: world.nowMs + 5000 });
  const third = planned(none);
  assert.deepEqual(
    [...third.leases.values()].map(({ address, state }) => [address, state.kind]),
    [
      ["192.0.2.100", "quarantined"],
      ["192.0.2.101", "quarantined"],
    ],
  );
  const fourth = planned(nextWorld(none, third, { claims: [makeClaim("c")] }));
  assert.equal(verdictLine(fourth, "c"), "pending 192.0.2.100 NoAgents");
});

test("a full pool says how full it is, and serves those who wait, the oldest first", () => {
  const pools = [makePool("lan", "192.0.2.10-192.0.2.12")];
  const holders = [makeClaim("a", { createdAtMs: 1 }), makeClaim("b", { createdAtMs: 2 })];
  const waiting = [makeClaim("late", { createdAtMs: 9 }), makeClaim("soon", { createdAtMs: 5 })];
  const world = makeWorld({ claims: [...waiting, ...holders], pools, agents: makeAgents(2) });
  const first = planned(world);
  // 192.0.2.11 and 192.0.2.12 are the agents' own.
  assert.equal(verdictLine(first, "a"), `pending 192.0.2.10 ${WAITING}`);
  for (const name of ["b", "soon", "late"]) {
    const { state, main } = findVerdict(first, name);
    assert.deepEqual([state, main?.reason], ["pending", "PoolExhausted"]);
    assert.equal(main?.detail, "no address is free in lan (1 of 3 held, 2 unusable)");
  }
  const bGone = nextWorld(world, first, { claims: [...waiting, ...holders.slice(0, 1)] });
  const second = planned(bGone);
  const aGone = nextWorld(bGone, second, { claims: waiting });
  const third = planned(aGone);
  assert.match(findVerdict(third, "soon").main?.detail ?? "", /1 draining, 2 unusable/);
  // Nobody has it any more: it is served in the very next plan.
  const agents = proveAll(nextWorld(aGone, third), third);
  const fourth = planned(nextWorld(aGone, third, { agents }));
  assert.equal(verdictLine(fourth, "soon"), `pending 192.0.2.10 ${WAITING}`);
  assert.equal(verdictLine(fourth, "late"), "pending PoolExhausted");
});

test("a pool of 2^64 addresses costs no more than a small one", () => {
  const pools = [makePool("default", "2001:db8::/64")];
  const first = planned(makeWorld({ claims: [makeClaim("web")], pools, agents: [] }));
  assert.equal(verdictLine(first, "web"), "pending 2001:db8:: NoAgents");
});
