// Pools whose addresses agents hold by themselves: one host's device, one address of each of
// several hosts, and a host's own address where there is no pool. Given worlds of testkit and their
// agents' answers; what is on a host is the agent's matter.

import assert from "node:assert/strict";
import { test } from "node:test";

import type { AgentView, Plan, World } from "@fairlead/model";
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
  proveAll,
  verdictLine,
} from "@fairlead/testkit";

import { plan } from "./index.ts";

const revisionOf = makeRevisionOf();
const planned = (world: World): Plan => plan(world, { revisionOf });
const proved = (world: World, dead: readonly string[] = []): World =>
  nextWorld(world, planned(world), { agents: proveAll(world, planned(world), { dead }) });

const link = makePool("lan", "192.0.2.100-192.0.2.109", { mode: "link" });
const host = makePool("lan", "192.0.2.100-192.0.2.109", { mode: "host" });

/** Where each address is: `192.0.2.100 on lb-1 eth0`. */
function places({ leases }: Plan): readonly string[] {
  return Array.from(leases.values(), ({ address, placement }) =>
    placement.kind === "host"
      ? `${address} on ${placement.agent} ${placement.link}`
      : `${address} ${placement.kind}`,
  ).toSorted();
}

function vipOn(result: Plan, agent: string, address: string): string | undefined {
  const own = [...result.nodePlans.values()].find((one) => one.agent === agent);
  const vip = [...(own?.resources.values() ?? [])].find(({ name }) => name === `vip/${address}`);
  if (vip?.kind !== "vip" || vip.carrier.kind !== "link") return undefined;
  return `${vip.prefixLength} ${vip.carrier.link}${vip.carrier.adopts ? " adopted" : ""}`;
}

function published(result: Plan, name: string): readonly string[] {
  const { addresses } = findVerdict(result, name);
  return addresses.filter((one) => one.published).map(({ address }) => address);
}

test("mode host: before any host has come a claim waits, and is served when one comes", () => {
  const world = makeWorld({ claims: [makeClaim("web")], pools: [host], agents: [] });
  const first = planned(world);
  assert.equal(verdictLine(first, "web"), "pending NoSegment");
  const second = planned(nextWorld(world, first, { agents: makeAgents(1) }));
  assert.deepEqual(places(second), ["192.0.2.100 on lb-1 eth0"]);
});

test("mode link: one agent has the address on its device, with the device's length", () => {
  const world = makeWorld({ claims: [makeClaim("web")], pools: [link], agents: makeAgents(1) });
  const first = planned(world);
  assert.deepEqual(places(first), ["192.0.2.100 on lb-1 eth0"]);
  assert.equal(vipOn(first, "lb-1", "192.0.2.100"), "24 eth0");
  assert.equal(first.lanes.size, 0);
  assert.equal(verdictLine(planned(proved(world)), "web"), "ready 192.0.2.100");
});

test("mode link: the longest network of the device counts, else the address stands alone", () => {
  const agents = [makeAgent("a", { prefixes: ["192.0.2.11/24", "192.0.2.97/28"] })];
  const pools = [link, makePool("far", "203.0.113.9", { mode: "link", priority: -1 })];
  const claims = [makeClaim("web"), makeClaim("far", { wishes: ["203.0.113.9"] })];
  const result = planned(makeWorld({ claims, pools, agents }));
  assert.equal(vipOn(result, "a", "192.0.2.100"), "28 eth0");
  assert.equal(vipOn(result, "a", "203.0.113.9"), "32 eth0");
});

test("mode link: a host that is cut off keeps its address; one declared gone does not", () => {
  const world = makeWorld({ claims: [makeClaim("web")], pools: [link], agents: makeAgents(2) });
  const [before = ""] = places(planned(world));
  const [, , name = ""] = before.split(" ");
  const cut = proved(proved(world), [name]);
  const later = nextWorld(cut, planned(cut), { nowMs: cut.nowMs + 300_000 });
  assert.deepEqual(places(planned(later)), [before]);
  assert.deepEqual(published(planned(later), "web"), ["192.0.2.100"], "silence is no proof");
  const agent = [...later.agents.values()].find((one) => one.name === name)?.name;
  assert.ok(agent);
  const intent = { id: "f", sinceMs: later.nowMs, kind: "forget", agent } as const;
  const gone = planned(nextWorld(later, planned(later), { intents: [intent] }));
  const other = name === "lb-1" ? "lb-2" : "lb-1";
  assert.deepEqual(places(gone), [`192.0.2.100 on ${other} eth0`]);
});

test("mode link: a wish for an address that one host has already is held by that one", () => {
  const pools = [makePool("lan", "192.0.2.0/24", { mode: "link" })];
  const claims = [makeClaim("web", { wishes: ["192.0.2.12"] }), makeClaim("any")];
  const world = makeWorld({ claims, pools, agents: makeAgents(3) });
  const result = planned(world);
  assert.ok(places(result).includes("192.0.2.12 on lb-2 eth0"), places(result).join());
  assert.equal(verdictLine(result, "any").split(" ")[1], "192.0.2.1");
});

test("without any pool the first address of the host is shared by port", () => {
  const claims = [
    makeClaim("web", { createdAtMs: 1, members: ["192.0.2.11:30080"] }),
    makeClaim("dns", { ports: ["udp/53"], createdAtMs: 2 }),
    makeClaim("other", { createdAtMs: 3 }),
  ];
  const agents = [makeAgent("a", { prefixes: ["192.0.2.11/24", "192.0.2.7/24"] })];
  const settings = { ...makeWorld().settings, sharesOwnAddress: true };
  const world = makeWorld({ claims, pools: [], agents, settings });
  const result = planned(world);
  assert.equal(vipOn(result, "a", "192.0.2.11"), "24 eth0 adopted");
  const after = planned(proved(world));
  assert.equal(verdictLine(after, "web"), "ready 192.0.2.11");
  assert.equal(verdictLine(after, "dns"), "ready 192.0.2.11");
  assert.equal(verdictLine(after, "other"), "refused SharingRefused");
  const { main } = findVerdict(after, "other");
  assert.equal(
    main?.detail,
    "192.0.2.11 port 80/TCP is held by default/web since 1970-01-01T00:16:40Z",
  );
});

test("a host that gets another address takes its Services along, where there is no pool", () => {
  const settings = { ...makeWorld().settings, sharesOwnAddress: true };
  const claims = [makeClaim("web")];
  const at = (text: string): readonly AgentView[] => [makeAgent("a", { prefixes: [text] })];
  const world = proved(makeWorld({ claims, pools: [], agents: at("192.0.2.11/24"), settings }));
  const moved = nextWorld(world, planned(world), { agents: at("192.0.2.55/24") });
  const { addresses } = findVerdict(planned(moved), "web");
  // The old one is named until the new one is proved to serve.
  assert.deepEqual(
    addresses.map(({ address }) => address),
    ["192.0.2.11", "192.0.2.55"],
  );
});

test("without a pool and without the setting nobody is served", () => {
  const world = makeWorld({ claims: [makeClaim("web")], pools: [] });
  assert.equal(verdictLine(planned(world), "web"), "refused NoPool");
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

test("mode link: after the store is lost an address stays on the agent that has it", () => {
  for (const holder of makeAgents(3)) {
    const alone = makeWorld({ claims: [makeClaim("web")], pools: [link], agents: [holder] });
    const served = proved(alone);
    const claims = [makeClaim("web", { statusAddresses: [...planned(served).leases.keys()] })];
    const others = makeAgents(3).filter(({ name }) => name !== holder.name);
    const agents = [...served.agents.values(), ...others];
    const lost = { ...planned(served), leases: new Map() };
    const found = planned(nextWorld(served, lost, { claims, agents }));
    assert.deepEqual(places(found), [`192.0.2.100 on ${holder.name} eth0`]);
  }
});

test("a lane stays a lane and its address stays, whatever mode its pool has now", () => {
  const vrrp = makePool("lan", "192.0.2.100-192.0.2.109");
  const world = proved(makeWorld({ claims: [makeClaim("web")], pools: [vrrp] }));
  for (const pool of [host, link]) {
    const edited = planned(nextWorld(world, planned(world), { pools: [pool] }));
    assert.deepEqual(places(edited), ["192.0.2.100 lane"]);
  }
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

test("agents that are older than these modes are named", () => {
  const agents = makeAgents(2).map((agent) => ({
    ...agent,
    hello: { ...agent.hello, capabilities: ["vrrp" as const] },
  }));
  const result = planned(makeWorld({ claims: [makeClaim("web")], pools: [link], agents }));
  assert.equal(verdictLine(result, "web"), "pending 192.0.2.100 ModeUnavailable");
  const { main } = findVerdict(result, "web");
  assert.equal(main?.detail, "pool lan has mode link, which lb-1, lb-2 cannot do");
});
