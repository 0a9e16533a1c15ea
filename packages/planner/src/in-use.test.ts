// What planning makes of strangers that answer for addresses: who insists waits for the address and
// hears who has it, everybody else gets another one. Given worlds of testkit.

import assert from "node:assert/strict";
import { suite, test } from "node:test";

import type { Address, AddressPool, AgentView, Claim, Plan, World } from "@fairlead/model";
import { vipName } from "@fairlead/model";
import {
  address,
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

const MAC = "02:00:00:00:99:99";
const revisionOf = makeRevisionOf();
const planned = (world: World): Plan => plan(world, { revisionOf });

interface Told {
  readonly world: World;
  readonly plan: Plan;
}

function start(
  claims: readonly Claim[],
  pool = "192.0.2.100-192.0.2.102",
  mode: AddressPool["mode"] = "vrrp",
): Told {
  const pools = [makePool("default", pool, { mode })];
  const world = makeWorld({ claims, pools, agents: makeAgents(2) });
  return { world, plan: planned(world) };
}

/** Every agent that shall have one of the addresses says that `mac` answers for it. */
function answered(told: Told, texts: readonly string[], mac = MAC): readonly AgentView[] {
  const strange = new Set<Address>(texts.map(address));
  return proveAll(told.world, told.plan).map((agent) => {
    const resources = new Map(agent.report?.resources);
    const strangers = new Map(agent.strangers);
    for (const at of strange) {
      const said = resources.get(vipName(at));
      if (said === undefined) continue;
      resources.set(said.name, {
        ...said,
        step: "received",
        evidence: [{ kind: "neighbour", mac, seenBy: agent.name }],
        problem: {
          reason: "AddressInUse",
          detail: `${mac} answers for ${at} on eth0`,
          revision: said.revision,
        },
      });
      strangers.set(at, { mac, heardAtMs: told.world.nowMs });
    }
    const { report } = agent;
    return report === undefined ? agent : { ...agent, strangers, report: { ...report, resources } };
  });
}

/** The next plan, after strangers answered for these and everything else was proved. */
function go(told: Told, strangers: readonly string[], changes = {}): Told {
  const agents = answered(told, strangers);
  const world = nextWorld(told.world, told.plan, { agents, ...changes });
  return { world, plan: planned(world) };
}

suite("an address that a stranger has", () => {
  test("is left for the next one by a claim that wished for none", () => {
    let told = start([makeClaim("web")]);
    told = go(told, ["192.0.2.100"]);
    assert.equal(verdictLine(told.plan, "web"), "pending 192.0.2.101 WaitingForAgent");
    told = go(told, []);
    assert.equal(verdictLine(told.plan, "web"), "ready 192.0.2.101");
    told = go(told, []);
    assert.equal(verdictLine(told.plan, "web"), "ready 192.0.2.101", "and it stays there");
  });

  test("refuses a claim that wished for it, which keeps it and hears who has it", () => {
    let told = start([makeClaim("web", { wishes: ["192.0.2.101"] })]);
    told = go(told, ["192.0.2.101"]);
    assert.equal(verdictLine(told.plan, "web"), "refused 192.0.2.101 AddressInUse");
    const { main } = findVerdict(told.plan, "web");
    assert.equal(main?.detail, `on lb-1: ${MAC} answers for 192.0.2.101 on eth0`);
    const names = [...(told.plan.nodePlans.values().next().value?.resources.keys() ?? [])];
    assert.ok(names.includes(vipName(address("192.0.2.101"))), "its agents go on asking");
    assert.equal(told.plan.leases.get(address("192.0.2.101"))?.published, false);
  });

  test("is served as soon as the stranger is silent", () => {
    let told = start([makeClaim("web", { wishes: ["192.0.2.101"] })]);
    told = go(told, ["192.0.2.101"]);
    const agents = proveAll(told.world, told.plan).map((agent) => ({
      ...agent,
      strangers: new Map(),
    }));
    told = go({ ...told, world: nextWorld(told.world, told.plan, { agents }) }, []);
    assert.equal(verdictLine(told.plan, "web"), "ready 192.0.2.101");
  });

  test("is not what a claim gets back because one of its name had it", () => {
    let told = start([makeClaim("web", { wishes: ["192.0.2.100"] })]);
    told = go(told, ["192.0.2.100"]);
    told = go(told, ["192.0.2.100"], { claims: [] });
    told = go(told, [], { claims: [makeClaim("web", { uid: "another" })] });
    assert.equal(verdictLine(told.plan, "web"), "pending 192.0.2.101 WaitingForAgent");
  });

  test("is joined by nobody who shares the key of the one who wished for it", () => {
    const first = makeClaim("web", { wishes: ["192.0.2.100"], sharingKey: "k" });
    const second = makeClaim("dns", { ports: ["udp/53"], sharingKey: "k", createdAtMs: 2000 });
    let told = start([first]);
    told = go(told, ["192.0.2.100"]);
    told = go(told, ["192.0.2.100"], { claims: [first, second] });
    assert.equal(verdictLine(told.plan, "dns"), "pending 192.0.2.101 WaitingForAgent");
  });

  test("is passed over by a second wish", () => {
    let told = start([makeClaim("web", { wishes: ["192.0.2.101", "192.0.2.102"] })]);
    told = go(told, ["192.0.2.101"]);
    assert.equal(verdictLine(told.plan, "web"), "pending 192.0.2.102 WaitingForAgent");
  });

  test("is given to nobody else for a minute", () => {
    let told = start([makeClaim("web")], "192.0.2.100-192.0.2.101");
    told = go(told, ["192.0.2.100"]);
    const claims = [...told.world.claims.values(), makeClaim("more", { createdAtMs: 9999 })];
    told = go(told, [], { claims, nowMs: told.world.nowMs + 59_000 });
    assert.equal(verdictLine(told.plan, "more"), "pending PoolExhausted");
    told = go(told, [], { nowMs: told.world.nowMs + 1001 });
    assert.equal(verdictLine(told.plan, "more"), "pending 192.0.2.100 WaitingForAgent");
  });

  test("is kept when there is no other, and refuses", () => {
    let told = start([makeClaim("web")], "192.0.2.100");
    told = go(told, ["192.0.2.100"]);
    assert.equal(verdictLine(told.plan, "web"), "refused 192.0.2.100 AddressInUse");
    told = go(told, ["192.0.2.100"]);
    assert.equal(verdictLine(told.plan, "web"), "refused 192.0.2.100 AddressInUse");
  });

  test("moves all that share it, together", () => {
    const shared = { sharingKey: "k" };
    let told = start([
      makeClaim("a", { ...shared, ports: ["tcp/80"] }),
      makeClaim("b", { ...shared, ports: ["tcp/81"] }),
    ]);
    told = go(told, ["192.0.2.100"]);
    assert.equal(verdictLine(told.plan, "a"), "pending 192.0.2.101 WaitingForAgent");
    assert.equal(verdictLine(told.plan, "b"), "pending 192.0.2.101 WaitingForAgent");
  });
});

suite("without VRRP, an address that a stranger has", () => {
  const pool = "192.0.2.100-192.0.2.103";

  test("is left for the next one in mode link", () => {
    let told = start([makeClaim("web")], pool, "link");
    told = go(told, ["192.0.2.100"]);
    assert.equal(verdictLine(told.plan, "web"), "pending 192.0.2.101 WaitingForAgent");
    told = go(told, []);
    assert.equal(verdictLine(told.plan, "web"), "ready 192.0.2.101");
  });

  test("refuses a claim that wished for it in mode link, and its agent goes on asking", () => {
    let told = start([makeClaim("web", { wishes: ["192.0.2.101"] })], pool, "link");
    told = go(told, ["192.0.2.101"]);
    assert.equal(verdictLine(told.plan, "web"), "refused 192.0.2.101 AddressInUse");
    const names = [...told.plan.nodePlans.values()].flatMap(({ resources }) => [
      ...resources.keys(),
    ]);
    assert.ok(names.includes(vipName(address("192.0.2.101"))));
  });

  test("is left by its agent alone in mode host: the others serve on their own", () => {
    let told = start([makeClaim("web")], pool, "host");
    told = go(told, ["192.0.2.100"]);
    assert.equal(verdictLine(told.plan, "web"), "ready 192.0.2.102 192.0.2.101 WaitingForAgent");
    told = go(told, []);
    assert.equal(verdictLine(told.plan, "web"), "ready 192.0.2.102 192.0.2.101");
  });
});

suite("an answer that is no stranger's", () => {
  test("moves nothing: one of ours holds the address", () => {
    let told = start([makeClaim("web")]);
    told = go(told, []);
    assert.equal(verdictLine(told.plan, "web"), "ready 192.0.2.100");
    const { holder } = findVerdict(told.plan, "web").addresses[0] ?? {};
    const proved = proveAll(told.world, told.plan);
    const agents = answered(told, ["192.0.2.100"]).map(
      (agent) => proved.find(({ name }) => name === agent.name && name === holder) ?? agent,
    );
    const world = nextWorld(told.world, told.plan, { agents });
    assert.equal(verdictLine(planned(world), "web"), "ready 192.0.2.100");
  });

  test("moves nothing: the MAC address is that of an agent's link", () => {
    const told = start([makeClaim("web")]);
    const own = [...told.world.agents.values()][1]?.hello.links[0]?.mac ?? "";
    const agents = answered(told, ["192.0.2.100"], own);
    const world = nextWorld(told.world, told.plan, { agents });
    assert.equal(verdictLine(planned(world), "web"), "refused 192.0.2.100 AddressInUse");
  });
});

test("a published address moves only when it was withdrawn: its host booted and found it taken", () => {
  let told = start([makeClaim("web")]);
  told = go(told, []);
  const nowMs = told.world.nowMs + 1;
  const lost = answered(told, ["192.0.2.100"]).map((agent) => ({
    ...agent,
    heldSinceMs: new Map(),
    lostAtMs: new Map([[address("192.0.2.100"), nowMs]]),
  }));
  let world = nextWorld(told.world, told.plan, { agents: lost, nowMs: nowMs + 2000 });
  told = { world, plan: planned(world) };
  assert.equal(verdictLine(told.plan, "web"), "refused 192.0.2.100 AddressInUse");
  assert.equal(findVerdict(told.plan, "web").addresses[0]?.published, true);
  world = nextWorld(world, told.plan, { nowMs: nowMs + 6000 });
  assert.match(verdictLine(planned(world), "web"), /^pending 192\.0\.2\.101 /);
});

test("a published address is a stranger's in the same plan in which its last hope is forgotten", () => {
  let told = go(start([makeClaim("web")]), []);
  assert.equal(verdictLine(told.plan, "web"), "ready 192.0.2.100");
  const [first] = told.plan.lanes.values();
  const [, silent = ""] = first?.order ?? [];
  const cut = (agents: readonly AgentView[]): readonly AgentView[] =>
    agents.map((agent) =>
      agent.name === silent
        ? { ...agent, connected: false, disconnectedAtMs: told.world.nowMs, strangers: new Map() }
        : agent,
    );
  const agents = cut(answered(told, ["192.0.2.100"]));
  told = { ...told, world: nextWorld(told.world, told.plan, { agents }) };
  told = { ...told, plan: planned(told.world) };
  assert.match(verdictLine(told.plan, "web"), /192\.0\.2\.100/, "the silent one may have it");
  const agent = agents.find(({ name }) => name === silent)?.name;
  assert.ok(agent);
  const intent = { id: "f", sinceMs: told.world.nowMs, kind: "forget", agent } as const;
  const world = nextWorld(told.world, told.plan, { intents: [intent] });
  const moved = planned(world);
  assert.match(verdictLine(moved, "web"), /^pending 192\.0\.2\.101 /);
  const again = planned(nextWorld(world, moved));
  assert.deepEqual(again.leases, moved.leases, "planning its own result changes nothing");
});
