// Who may run a lane that grows: a host that joined before those who hold it speak to it would hear
// nobody, and hold its VIPs a second time.

import assert from "node:assert/strict";
import { test } from "node:test";

import type { AgentName, AgentView, Plan, World } from "@fairlead/model";
import {
  agentName,
  makeAgents,
  makeClaim,
  makeRevisionOf,
  makeWorld,
  nextWorld,
  proveAll,
} from "@fairlead/testkit";

import { plan } from "./index.ts";

const revisionOf = makeRevisionOf();
const planned = (world: World): Plan => plan(world, { revisionOf });
const newcomer = agentName("lb-3");

/** A lane that two hosts run, and a third that has just come. */
function growing(): { readonly world: World; readonly grown: Plan } {
  const agents = makeAgents(3);
  const two = makeWorld({ claims: [makeClaim("web")], agents: agents.slice(0, 2) });
  const first = planned(two);
  const held = nextWorld(two, first, { agents: proveAll(two, first, { revisionOf }) });
  const settled = planned(held);
  const proved = proveAll(nextWorld(held, settled), settled, { revisionOf });
  const world = nextWorld(held, settled, { agents: [...proved, ...agents.slice(2)] });
  return { world, grown: planned(world) };
}

/** Kinds of what an agent shall have. */
function given(last: Plan, agent: AgentName): readonly string[] {
  return Array.from(last.nodePlans.get(agent)?.resources.values() ?? [], ({ kind }) => kind);
}

function proveOnly(names: readonly string[], world: World, last: Plan): readonly AgentView[] {
  const after = new Map(proveAll(world, last, { revisionOf }).map((one) => [one.name, one]));
  return Array.from(world.agents.values(), (agent) =>
    names.includes(agent.name) ? (after.get(agent.name) ?? agent) : agent,
  );
}

test("a host that joins a lane is a peer at once, and runs it when it is spoken to", () => {
  const { world, grown } = growing();
  const [lane] = grown.lanes.values();
  assert.equal(lane?.order.indexOf(newcomer), 2);
  assert.deepEqual(given(grown, newcomer), []);
  const [row] = grown.leases.values();
  assert.deepEqual(row?.sentTo, ["lb-1", "lb-2"]);

  const half = nextWorld(world, grown, { agents: proveOnly(["lb-1"], world, grown) });
  assert.deepEqual(given(planned(half), newcomer), [], "one of two speaks to it");

  const both = nextWorld(world, grown, { agents: proveOnly(["lb-1", "lb-2"], world, grown) });
  const joined = planned(both);
  assert.ok(given(joined, newcomer).includes("lane"));
  assert.ok(given(joined, newcomer).includes("vip"));
});

test("a host that joined goes on running the lane before it has reported it", () => {
  const { world, grown } = growing();
  const both = nextWorld(world, grown, { agents: proveOnly(["lb-1", "lb-2"], world, grown) });
  const joined = planned(both);
  const deaf = nextWorld(both, joined, { agents: [...world.agents.values()] });
  assert.ok(given(planned(deaf), newcomer).includes("lane"), "its rows say that it was sent them");
});

test("who is out of reach is not waited for by a host that joins", () => {
  const { world, grown } = growing();
  const agents = proveOnly(["lb-1"], world, grown).map((agent): AgentView =>
    agent.name === "lb-2" ? { ...agent, connected: false, disconnectedAtMs: world.nowMs } : agent,
  );
  assert.ok(given(planned(nextWorld(world, grown, { agents })), newcomer).includes("lane"));
});

test("all hosts of a lane that nobody has held start together", () => {
  const fresh = planned(makeWorld({ claims: [makeClaim("web")], agents: makeAgents(3) }));
  for (const { name } of makeAgents(3)) assert.ok(given(fresh, name).includes("lane"));
});
