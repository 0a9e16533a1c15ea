// Pools of mode link, whose addresses one host has on its device, and a host's own address where
// there is no pool. Given worlds of testkit and their agents' answers; what is on a host is the
// agent's matter.

import assert from "node:assert/strict";
import { test } from "node:test";

import type { AgentView, Plan, World } from "@fairlead/model";
import {
  findVerdict,
  makeAgent,
  makeAgents,
  makeClaim,
  makePool,
  makeRevisionOf,
  makeWorld,
  nextWorld,
  places,
  proveAll,
  published,
  verdictLine,
  vipOn,
} from "@fairlead/testkit";

import { plan } from "./index.ts";

const revisionOf = makeRevisionOf();
const planned = (world: World): Plan => plan(world, { revisionOf });
const proved = (world: World, dead: readonly string[] = []): World =>
  nextWorld(world, planned(world), { agents: proveAll(world, planned(world), { dead }) });

const link = makePool("lan", "192.0.2.100-192.0.2.109", { mode: "link" });
const host = makePool("lan", "192.0.2.100-192.0.2.109", { mode: "host" });

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
