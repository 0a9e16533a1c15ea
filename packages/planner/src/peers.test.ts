// Where the agents of a lane speak VRRP from: no two of them from one address, and all in one
// family, which stays while they can.

import assert from "node:assert/strict";
import { test } from "node:test";

import type { AgentView, Plan, World } from "@fairlead/model";
import {
  agentName,
  findVerdict,
  makeAgent,
  makeClaim,
  makePool,
  makeRevisionOf,
  makeWorld,
  nextWorld,
  proveAll,
} from "@fairlead/testkit";

import { plan } from "./index.ts";

const revisionOf = makeRevisionOf();
const planned = (world: World): Plan => plan(world, { revisionOf });

/** `agent=address` of the peers of the one lane. */
function peersOf(last: Plan): readonly string[] {
  return [...last.lanes.values()].flatMap(({ peers = [] }) =>
    peers.map(({ agent, address }) => `${agent}=${address}`),
  );
}

test("a host that was cloned with its address is no peer of the one it was cloned from", () => {
  const agents = [
    makeAgent("lb-1", { prefixes: ["192.0.2.11/24"] }),
    makeAgent("lb-2", { prefixes: ["192.0.2.11/24"] }),
    makeAgent("lb-3", { prefixes: ["192.0.2.13/24"] }),
  ];
  const last = planned(makeWorld({ agents, claims: [makeClaim("web")] }));
  const addresses = new Set(peersOf(last).map((peer) => peer.split("=")[1]));
  assert.deepEqual(addresses, new Set(["192.0.2.11", "192.0.2.13"]));
  assert.equal(peersOf(last).length, 2);
  const running = [...last.nodePlans.values()].filter(({ resources }) => resources.size > 0);
  assert.equal(running.length, 2);
});

test("a clone of an agent that has not come yet does not join in its place", () => {
  const agents = [
    makeAgent("lb-1", { prefixes: ["192.0.2.11/24"] }),
    makeAgent("lb-2", { prefixes: ["192.0.2.12/24"] }),
    makeAgent("lb-3", { prefixes: ["192.0.2.11/24"] }),
  ];
  const world = makeWorld({ agents, claims: [makeClaim("web")] });
  const first = planned(world);
  const held = nextWorld(world, first, { agents: proveAll(world, first) });
  const before = planned(held);
  // A new leader plans before the first of them has connected to it.
  const without = proveAll(held, before).filter(({ name }) => name !== "lb-1");
  const after = planned(nextWorld(held, before, { agents: without }));
  assert.deepEqual(after.lanes, before.lanes);
  assert.deepEqual(peersOf(after).toSorted(), ["lb-1=192.0.2.11", "lb-2=192.0.2.12"]);
});

test("a host that was set up anew by another name joins, though its old name is known still", () => {
  const gone = { ...makeAgent("lb-1", { prefixes: ["192.0.2.11/24"] }), connected: false };
  const agents = [
    gone,
    makeAgent("lb-2", { prefixes: ["192.0.2.12/24"] }),
    makeAgent("lb-3", { prefixes: ["192.0.2.11/24"] }),
  ];
  const last = planned(makeWorld({ agents, claims: [makeClaim("web")] }));
  assert.deepEqual(peersOf(last).toSorted(), ["lb-2=192.0.2.12", "lb-3=192.0.2.11"]);
});

test("what hosts have in common is spoken from by nobody who has another address", () => {
  const agents = [11, 12, 13].map((host, i) =>
    makeAgent(`lb-${i + 1}`, { prefixes: ["192.0.2.5/24", `192.0.2.${host}/24`] }),
  );
  const last = planned(makeWorld({ agents, claims: [makeClaim("web")] }));
  assert.deepEqual(peersOf(last).toSorted(), [
    "lb-1=192.0.2.11",
    "lb-2=192.0.2.12",
    "lb-3=192.0.2.13",
  ]);
});

test("which of two clones is named for their address is the same in any order", () => {
  const agents = [makeAgent("lb-1"), makeAgent("lb-2")];
  const said = (given: typeof agents): string | undefined => {
    const pools = [makePool("default", "192.0.2.11-192.0.2.20")];
    const claims = [makeClaim("web", { wishes: ["192.0.2.11"] })];
    const last = planned(makeWorld({ agents: given, pools, claims }));
    return findVerdict(last, "web").main?.detail;
  };
  assert.equal(said(agents), "192.0.2.11 is the own address of agent lb-1");
  assert.equal(said(agents.toReversed()), said(agents));
});

const v4 = (n: number): string => `192.0.2.1${n}/24`;
const v6 = (n: number): string => `2001:db8::${n}/64`;

/** The peers of the one lane of the first agents, and when `more` have come, and reported. */
function grown(
  first: readonly AgentView[],
  more: readonly AgentView[],
): { readonly world: World; readonly made: Plan; readonly before: readonly string[] } {
  const begun = makeWorld({ agents: first, claims: [makeClaim("web")] });
  const made = planned(begun);
  const agents = [...proveAll(begun, made), ...more];
  let world = nextWorld(begun, made, { agents });
  let last = planned(world);
  world = nextWorld(world, last, { agents: proveAll(world, last) });
  last = planned(world);
  return { world, made: last, before: peersOf(made) };
}

const dual = (n: number): AgentView => makeAgent(`lb-${n}`, { prefixes: [v4(n), v6(n)] });
const only = (n: number, prefix: string): AgentView => makeAgent(`lb-${n}`, { prefixes: [prefix] });

test("a host with IPv6 alone changes nothing for two that speak IPv4 to each other", () => {
  const { made, before } = grown([dual(1), dual(2)], [only(3, v6(3))]);
  assert.deepEqual(before.toSorted(), ["lb-1=192.0.2.11", "lb-2=192.0.2.12"]);
  assert.deepEqual(peersOf(made), before);
  assert.ok([...made.lanes.values()].every(({ order }) => order.length === 2));
});

test("a lane that speaks IPv6 goes on when those who need it are forgotten", () => {
  const { world, made, before } = grown([dual(1), dual(2), only(3, v6(3))], []);
  assert.deepEqual(
    before.toSorted(),
    [1, 2, 3].map((n) => `lb-${n}=2001:db8::${n}`),
  );
  const agents = proveAll(world, made, { dead: ["lb-3"] });
  const intents = [{ id: "f", kind: "forget", agent: agentName("lb-3"), sinceMs: 1 }] as const;
  const after = planned(nextWorld(world, made, { agents, intents }));
  assert.deepEqual(peersOf(after).toSorted(), ["lb-1=2001:db8::1", "lb-2=2001:db8::2"]);
});

test("a host that has a lane alone speaks IPv6 for the first successor that has nothing else", () => {
  const { made, before } = grown([dual(1)], [only(2, v6(2))]);
  assert.deepEqual(before, ["lb-1=192.0.2.11"]);
  assert.deepEqual(peersOf(made), ["lb-1=2001:db8::1", "lb-2=2001:db8::2"]);
});

test("a host that is left alone with IPv4 keeps its lane, whatever others have", () => {
  // Of another pool, it shows that both networks are one segment.
  const witness = dual(9);
  const agents = ["lb-1", "lb-2", "lb-3"].map(agentName);
  const pools = [makePool("default", "192.0.2.100-192.0.2.109", { agents })];
  const begun = makeWorld({
    agents: [only(1, v4(1)), dual(2), witness],
    pools,
    claims: [makeClaim("web")],
  });
  const first = planned(begun);
  assert.deepEqual(peersOf(first).toSorted(), ["lb-1=192.0.2.11", "lb-2=192.0.2.12"]);
  const held = nextWorld(begun, first, { agents: proveAll(begun, first) });
  const made = planned(held);
  const lost = proveAll(held, made).map((view) =>
    view.name === "lb-2" ? { ...view, hello: only(2, v6(2)).hello } : view,
  );
  const alone = nextWorld(held, made, { agents: lost });
  const last = planned(alone);
  assert.deepEqual(peersOf(last), ["lb-1=192.0.2.11"]);
  const more = [...lost, only(3, v6(3))];
  assert.deepEqual(peersOf(planned(nextWorld(alone, last, { agents: more }))), ["lb-1=192.0.2.11"]);
});

test("agents of which one has lost its IPv4 address speak IPv6", () => {
  const { world, made } = grown([dual(1), dual(2)], []);
  const agents = proveAll(world, made).map((view) =>
    view.name === "lb-2" ? { ...view, hello: only(2, v6(2)).hello } : view,
  );
  const after = planned(nextWorld(world, made, { agents }));
  assert.deepEqual(peersOf(after).toSorted(), ["lb-1=2001:db8::1", "lb-2=2001:db8::2"]);
});
