// What agents are told: the same on holder and successors, with defaults filled in and without
// members that would harm; and that what did not change stays the very same object.

import assert from "node:assert/strict";
import { test } from "node:test";

import type { Claim, NodePlan, Plan, Resource, World } from "@fairlead/model";
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

import { createPlanMemory, plan } from "./index.ts";

const revisionOf = makeRevisionOf();
const planned = (world: World): Plan => plan(world, { revisionOf });

function firstPlan(last: Plan): NodePlan {
  const [first] = last.nodePlans.values();
  assert.ok(first !== undefined);
  return first;
}

function only<Kind extends Resource["kind"]>(
  last: Plan,
  kind: Kind,
): Extract<Resource, { kind: Kind }> {
  const found = [...firstPlan(last).resources.values()].filter(
    (one): one is Extract<Resource, { kind: Kind }> => one.kind === kind,
  );
  const [first] = found;
  assert.ok(first !== undefined && found.length === 1, `${found.length} of ${kind}`);
  return first;
}

test("holder and successors get the same VIPs, listeners and members", () => {
  const last = planned(makeWorld({ claims: [makeClaim("web", { ports: ["tcp/443", "tcp/80"] })] }));
  const [first, ...others] = [...last.nodePlans.values()].map((one) => [...one.resources.keys()]);
  assert.deepEqual(first, [
    "lane/192.0.2.0/24#1",
    "vip/192.0.2.100",
    "listener/192.0.2.100/tcp/443",
    "members/192.0.2.100/tcp/443",
    "listener/192.0.2.100/tcp/80",
    "members/192.0.2.100/tcp/80",
  ]);
  for (const keys of others) assert.deepEqual(keys, first);
});

test("agents that are in no lane have an empty plan", () => {
  const stray = makeAgent("stray", { prefixes: ["203.0.113.1/24"] });
  const world = makeWorld({ claims: [makeClaim("web")] });
  const last = planned(
    nextWorld(world, planned(world), { agents: [...world.agents.values(), stray] }),
  );
  assert.equal(last.nodePlans.get(stray.name)?.resources.size, 0);
});

const defaults = [
  { ports: ["tcp/80"], idleTimeoutMs: 600_000 },
  { ports: ["udp/53"], idleTimeoutMs: 20_000 },
];
for (const { ports, idleTimeoutMs } of defaults) {
  test(`defaults of ${ports.join(" ")}`, () => {
    const listener = only(
      planned(makeWorld({ claims: [makeClaim("web", { ports })] })),
      "listener",
    );
    assert.equal(listener.connectTimeoutMs, 5000);
    assert.equal(listener.idleTimeoutMs, idleTimeoutMs);
    assert.equal(listener.drainTimeoutMs, 30_000);
    assert.equal(listener.connectionsMax, undefined);
  });
}

test("what the Service says goes before the defaults", () => {
  const policy: Claim["policy"] = {
    ...makeClaim("x").policy,
    acceptProxyProtocol: true,
    proxyProtocol: "v2",
    connectTimeoutMs: 1,
    idleTimeoutMs: 2,
    drainTimeoutMs: 3,
    connectionsMax: 4,
  };
  const { acceptProxyProtocol, proxyProtocol, ...rest } = only(
    planned(makeWorld({ claims: [makeClaim("web", { policy })] })),
    "listener",
  );
  assert.deepEqual([acceptProxyProtocol, proxyProtocol], [true, "v2"]);
  assert.deepEqual(
    [rest.connectTimeoutMs, rest.idleTimeoutMs, rest.drainTimeoutMs, rest.connectionsMax],
    [1, 2, 3, 4],
  );
});

test("members that are loopback, link-local or a VIP are left out and named", () => {
  const members = [
    "10.1.0.1:80",
    "127.0.0.1:80",
    "169.254.1.1:80",
    "192.0.2.100:80",
    "[fe80::1]:80",
  ];
  const claims = [
    makeClaim("web", { members: members.map((text) => text.replaceAll(/[[\]]/g, "")) }),
  ];
  const last = planned(makeWorld({ claims }));
  assert.deepEqual(
    only(last, "members").members.map(({ address }) => address),
    ["10.1.0.1"],
  );
  const [remark] = findVerdict(last, "web").remarks;
  assert.equal(remark?.reason, "BadMember");
  assert.equal(
    remark.detail,
    "80/TCP: 127.0.0.1 (loopback), 169.254.1.1 (link-local), 192.0.2.100 (a VIP of default/web) and 1 more left out",
  );
});

const RING = makeClaim("ring", { members: ["10.1.0.1:80", "192.0.2.100:80"] });

/** What is said of the members of `ring`, and how many are sent. */
function ringOf(last: Plan): string {
  const { main, remarks } = findVerdict(last, "ring");
  const said = [main, ...remarks].find((remark) => remark?.reason === "BadMember")?.detail ?? "";
  const sets = [...firstPlan(last).resources.values()].flatMap((one) =>
    one.kind === "members" && one.name.startsWith("members/192.0.2.101/") ? [one.members] : [],
  );
  return `${said}: ${sets.map((members) => members.length).join()}`;
}

test("a member that is a VIP of ours is left out and its owner named, whatever its state", () => {
  const web = makeClaim("web", { wishes: ["192.0.2.100"], createdAtMs: 1 });
  const shared = { ...web, sharingKey: "k" };
  const more = makeClaim("more", { ports: ["tcp/81"], wishes: ["192.0.2.100"], sharingKey: "k" });
  const world = makeWorld({ claims: [shared, more, RING] });
  const memory = createPlanMemory();
  const go = (next: World): Plan => {
    const last = plan(next, { revisionOf, memory });
    assert.deepEqual(last, planned(next));
    return last;
  };
  const left = (whose: string): string => `80/TCP: 192.0.2.100 (${whose}) left out: 1`;
  const first = go(world);
  assert.equal(ringOf(first), left("a VIP of default/more and 1 more"));
  const alone = go(nextWorld(world, first, { claims: [shared, RING] }));
  assert.equal(ringOf(alone), left("a VIP of default/web"));
  const draining = go(nextWorld(world, alone, { claims: [RING] }));
  assert.equal([...draining.leases.values()][0]?.state.kind, "draining");
  assert.equal(ringOf(draining), left("a VIP that default/web had"));
  const agents = proveAll(world, draining);
  const resting = go(nextWorld(world, draining, { claims: [RING], agents }));
  assert.equal([...resting.leases.values()][0]?.state.kind, "quarantined");
  assert.equal(ringOf(resting), left("a VIP that default/web had"));
  const nowMs = world.nowMs + 61_000;
  const gone = go(nextWorld(world, resting, { claims: [RING], agents, nowMs }));
  assert.equal(ringOf(gone), ": 2");
});

test("a Service whose only members are VIPs of ours has none", () => {
  const ring = makeClaim("ring", { members: ["192.0.2.100:80"] });
  const { conditions, main, state } = findVerdict(planned(makeWorld({ claims: [ring] })), "ring");
  assert.equal(state, "pending");
  assert.equal(conditions.at(-1)?.reason, "NoMembers");
  assert.equal(main?.reason, "WaitingForAgent");
});

test("a member on an address that becomes a VIP is left out then, with memory too", () => {
  const memory = createPlanMemory();
  const web = makeClaim("web", { members: ["192.0.2.101:80"] });
  const world = makeWorld({ claims: [web] });
  const first = plan(world, { revisionOf, memory });
  assert.equal(only(first, "members").members.length, 1);
  const claims = [web, makeClaim("late", { createdAtMs: 2000 })];
  const second = plan(nextWorld(world, first, { claims }), { revisionOf, memory });
  assert.equal(findVerdict(second, "web").main?.reason, "WaitingForAgent");
  const [set] = [...firstPlan(second).resources.values()].filter(({ kind }) => kind === "members");
  assert.deepEqual(set?.kind === "members" && set.members, []);
});

test("a lane speaks IPv4 where all can, else IPv6", () => {
  const both = ["192.0.2.11/24", "2001:db8::11/64"];
  const pools = [makePool("default", "2001:db8::100")];
  const families = { policy: "SingleStack", families: ["ipv6"] } as const;
  const claims = [makeClaim("web", { families })];
  const agents = [
    makeAgent("a", { prefixes: both }),
    makeAgent("b", { prefixes: ["2001:db8::12/64"] }),
  ];
  const spoken = (given: typeof agents): readonly string[] =>
    only(planned(makeWorld({ agents: given, pools, claims })), "lane").order.map(
      ({ address }) => address,
    );
  assert.deepEqual(spoken(agents), ["2001:db8::12", "2001:db8::11"]);
  assert.deepEqual(spoken(agents.slice(0, 1)), ["192.0.2.11"]);
});

test("a controller that was started anew tells nobody to forget a peer that is not there yet", () => {
  const world = makeWorld({ claims: [makeClaim("web")] });
  const first = planned(world);
  const [lb1] = world.agents.values();
  assert.ok(lb1 !== undefined);
  const heardSinceMs = world.nowMs;
  const restarted = planned({ ...nextWorld(world, first, { agents: [lb1] }), heardSinceMs });
  assert.deepEqual(only(restarted, "lane"), only(first, "lane"));
});

test("with memory, only what changed is another object", () => {
  const memory = createPlanMemory();
  const claims = Array.from({ length: 6 }, (_, i) => makeClaim(`svc-${i}`));
  const world = makeWorld({ claims });
  const first = plan(world, { revisionOf, memory });
  const again = plan(nextWorld(world, first), { revisionOf, memory });
  for (const [agent, nodePlan] of first.nodePlans) {
    assert.equal(again.nodePlans.get(agent), nodePlan);
  }
  const changed = [...claims.slice(1), makeClaim("svc-0", { members: ["10.1.0.9:80"] })];
  const third = plan(nextWorld(world, again, { claims: changed }), { revisionOf, memory });
  const others = [...firstPlan(third).resources.values()].filter(
    (resource) => firstPlan(first).resources.get(resource.name) !== resource,
  );
  assert.deepEqual(
    others.map(({ name }) => name),
    ["members/192.0.2.100/tcp/80"],
  );
});
