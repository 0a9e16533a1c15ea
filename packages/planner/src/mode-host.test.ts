// Pools of mode host: each of several hosts has an address of its own on its device. Given worlds
// of testkit and their agents' answers; what is on a host is the agent's matter.

import assert from "node:assert/strict";
import { test } from "node:test";

import type { Plan, World } from "@fairlead/model";
import {
  findVerdict,
  makeAgent,
  makeAgents,
  makeClaim,
  makeLink,
  makePool,
  makeRevisionOf,
  makeWorld,
  nextWorld,
  places,
  proveAll,
  published,
  verdictLine,
} from "@fairlead/testkit";

import { plan } from "./index.ts";

const revisionOf = makeRevisionOf();
const planned = (world: World): Plan => plan(world, { revisionOf });
const proved = (world: World, dead: readonly string[] = []): World =>
  nextWorld(world, planned(world), { agents: proveAll(world, planned(world), { dead }) });

const host = makePool("lan", "192.0.2.100-192.0.2.109", { mode: "host" });

test("mode host: before any host has come a claim waits, and is served when one comes", () => {
  const world = makeWorld({ claims: [makeClaim("web")], pools: [host], agents: [] });
  const first = planned(world);
  assert.equal(verdictLine(first, "web"), "pending NoSegment");
  const second = planned(nextWorld(world, first, { agents: makeAgents(1) }));
  assert.deepEqual(places(second), ["192.0.2.100 on lb-1 eth0"]);
});

test("mode host: one address of each agent, all published, in the agents' order", () => {
  const world = makeWorld({ claims: [makeClaim("web")], pools: [host] });
  assert.deepEqual(places(planned(world)), [
    "192.0.2.100 on lb-1 eth0",
    "192.0.2.101 on lb-2 eth0",
    "192.0.2.102 on lb-3 eth0",
  ]);
  const after = planned(proved(world));
  assert.equal(verdictLine(after, "web"), "ready 192.0.2.100 192.0.2.101 192.0.2.102");
  assert.deepEqual(published(after, "web"), ["192.0.2.100", "192.0.2.101", "192.0.2.102"]);
});

test("mode host: each agent's address is of its own network", () => {
  const agents = [
    makeAgent("a", { prefixes: ["192.0.2.11/24"] }),
    makeAgent("b", { links: [makeLink("eth1", ["198.51.100.11/24"])] }),
    makeAgent("c", { prefixes: ["203.0.113.11/24"] }),
  ];
  const pools = [makePool("lan", "192.0.2.100/30, 198.51.100.100/30", { mode: "host" })];
  const result = planned(makeWorld({ claims: [makeClaim("web")], pools, agents }));
  assert.deepEqual(places(result), ["192.0.2.100 on a eth0", "198.51.100.100 on b eth1"]);
});

test("mode host: a dead agent's address leaves the status after a grace, and comes back with it", () => {
  const world = proved(proved(makeWorld({ claims: [makeClaim("web")], pools: [host] })));
  const cut = proved(world, ["lb-2"]);
  assert.equal(published(planned(cut), "web").length, 3, "not at once");
  const late = nextWorld(cut, planned(cut), { nowMs: cut.nowMs + 70_000 });
  const result = planned(late);
  assert.deepEqual(published(result, "web"), ["192.0.2.100", "192.0.2.102"]);
  assert.equal(findVerdict(result, "web").state, "ready");
  assert.equal(findVerdict(result, "web").main?.reason, "AgentUnreachable");
  const serving = findVerdict(result, "web").conditions.find(({ type }) => type === "Serving");
  assert.equal(serving?.status, "True");
  const agents = proveAll(late, result).map((one) => {
    const { disconnectedAtMs: _, ...rest } = one;
    return { ...rest, connected: true };
  });
  const back = planned(nextWorld(late, result, { agents }));
  assert.deepEqual(published(back, "web"), ["192.0.2.100", "192.0.2.101", "192.0.2.102"]);
});

test("mode host: a status is never emptied by silence alone", () => {
  const world = proved(proved(makeWorld({ claims: [makeClaim("web")], pools: [host] })));
  const cut = proved(world, ["lb-1", "lb-2", "lb-3"]);
  const late = nextWorld(cut, planned(cut), { nowMs: cut.nowMs + 300_000 });
  assert.equal(published(planned(late), "web").length, 3);
});

test("mode host: agents that are not back yet after a restart keep their addresses", () => {
  const world = proved(makeWorld({ claims: [makeClaim("web")], pools: [host] }));
  const restarted = nextWorld(world, planned(world), { agents: makeAgents(1) });
  assert.deepEqual(places(planned(restarted)), places(planned(world)));
});

test("mode host: an agent that joins gets one, and one that was declared gone has none", () => {
  const claims = [makeClaim("web"), makeClaim("dns", { ports: ["udp/53"] })];
  const world = makeWorld({ claims, pools: [host], agents: makeAgents(2) });
  const first = planned(world);
  const joined = nextWorld(world, first, { agents: makeAgents(3) });
  const second = planned(joined);
  assert.equal(places(second).filter((one) => one.includes("lb-3")).length, 2);
  assert.equal(places(second).length, 6);
  const [lb1] = makeAgents(1);
  assert.ok(lb1);
  const intent = { id: "f", sinceMs: 0, kind: "forget", agent: lb1.name } as const;
  const gone = planned(nextWorld(joined, second, { intents: [intent] }));
  assert.deepEqual(
    findVerdict(gone, "web").addresses.map(({ address }) => address).length,
    2,
    "those of lb-2 and lb-3",
  );
});

test("mode host: a host keeps the address that clients know when another host's is free", () => {
  const claims = [makeClaim("web")];
  const world = makeWorld({ claims, pools: [host], agents: makeAgents(2) });
  const served = proved(world, ["lb-1"]);
  const before = planned(served);
  assert.deepEqual(published(before, "web"), ["192.0.2.101"]);
  const [lb1] = makeAgents(1);
  assert.ok(lb1);
  const intent = { id: "f", sinceMs: 0, kind: "forget", agent: lb1.name } as const;
  const after = planned(nextWorld(served, before, { intents: [intent] }));
  assert.deepEqual(published(after, "web"), ["192.0.2.101"]);
});

test("who leaves a lane for addresses of mode host is served in the lane until a host serves", () => {
  const own = makePool("own", "192.0.2.110-192.0.2.119", { mode: "host" });
  const pools = [makePool("lan", "192.0.2.100-192.0.2.104"), own];
  let world = proved(makeWorld({ claims: [makeClaim("web")], pools, agents: makeAgents(2) }));
  const asking = makeClaim("web", { wishes: ["192.0.2.111"] });
  world = nextWorld(world, planned(world), { claims: [asking] });
  const both = planned(world);
  assert.deepEqual(published(both, "web"), ["192.0.2.100"]);
  assert.equal(findVerdict(both, "web").addresses.length, 3);
  const after = planned(nextWorld(world, both, { agents: proveAll(world, both) }));
  assert.deepEqual(published(after, "web"), ["192.0.2.111", "192.0.2.110"]);
  assert.equal(findVerdict(after, "web").addresses.length, 2);
});

test("mode host: an address is its pool's, also where the pool that gave it is gone", () => {
  const old = makePool("old", "192.0.2.100-192.0.2.109");
  const world = makeWorld({ claims: [makeClaim("web")], pools: [old], agents: [] });
  const edited = nextWorld(world, planned(world), { pools: [host] });
  const first = planned(edited);
  assert.deepEqual(planned(nextWorld(edited, first)).verdicts, first.verdicts);
});

test("mode host: who asks for a pool that is not there stays on what it has", () => {
  const agents = makeAgents(2);
  const world = proved(makeWorld({ claims: [makeClaim("web")], pools: [host], agents }));
  const before = planned(world);
  const claims = [makeClaim("web", { wishedPool: "lost" })];
  const edited = planned(nextWorld(world, before, { claims }));
  assert.deepEqual(places(edited), places(before));
  assert.equal(findVerdict(edited, "web").main?.reason, "UnknownPool");
  const again = planned(nextWorld(world, edited, { claims }));
  assert.deepEqual(again.leases, edited.leases, "and goes on doing so");
});

test("mode host: who asks for an address of one pool and for another pool gets none", () => {
  const held = proved(
    makeWorld({ claims: [makeClaim("web")], pools: [host], agents: makeAgents(2) }),
  );
  const torn = makeClaim("torn", { wishes: ["192.0.2.100"], wishedPool: "lost" });
  const first = planned(nextWorld(held, planned(held), { claims: [makeClaim("web"), torn] }));
  assert.equal(verdictLine(first, "torn"), "refused ConflictingWishes");
  const again = planned(nextWorld(held, first, { claims: [makeClaim("web"), torn] }));
  assert.deepEqual(again.verdicts, first.verdicts, "planning its own result changes nothing");
});

test("mode host: a pool that is deleted under use takes nothing away", () => {
  const world = proved(makeWorld({ claims: [makeClaim("web")], pools: [host] }));
  const without = nextWorld(world, planned(world), { pools: [makePool("new", "192.0.2.50")] });
  assert.deepEqual(places(planned(without)), places(planned(world)));
});

test("a lane that ends with its last agent leaves its address to the hosts of the pool's mode", () => {
  const vrrp = makePool("lan", "192.0.2.100");
  const agents = makeAgents(1);
  let world = makeWorld({ claims: [makeClaim("web")], pools: [vrrp], agents });
  world = nextWorld(world, planned(world), { pools: [{ ...vrrp, mode: "host" }] });
  world = nextWorld(world, planned(world), {
    agents: proveAll(world, planned(world), { dead: ["lb-1"] }),
  });
  const [agent] = world.agents.keys();
  assert.ok(agent);
  const intent = { id: "f", sinceMs: world.nowMs, kind: "forget", agent } as const;
  world = nextWorld(world, planned(world), { intents: [intent] });
  const ended = planned(world);
  assert.deepEqual(places(ended), ["192.0.2.100 unplaced"]);
  assert.equal(findVerdict(ended, "web").main?.reason, "NoSegment");
  const again = planned(nextWorld(world, ended));
  assert.deepEqual(again.verdicts, ended.verdicts, "planning its own result changes nothing");
});
