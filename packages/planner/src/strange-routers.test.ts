// Router ids of others: never chosen for a new lane, and told when they appear on one of ours.

import assert from "node:assert/strict";
import { test } from "node:test";

import type { AgentView, HeardRouter, Plan, World } from "@fairlead/model";
import {
  address,
  device,
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

const heard = (routerId: number, source = "192.0.2.77", link = "eth0"): HeardRouter => ({
  routerId,
  source: address(source),
  link: device(link),
});

/** Agents of which one hears somebody; the world is one in which all have reported before. */
function hearing(routers: readonly HeardRouter[], more: Partial<AgentView> = {}): World {
  const start = makeWorld({ agents: makeAgents(2) });
  const [first, ...others] = proveAll(start, planned(start));
  assert.ok(first?.report !== undefined);
  const report = { ...first.report, heardRouters: routers };
  const agents = [{ ...first, ...more, report }, ...others];
  return makeWorld({ agents, claims: [makeClaim("web")] });
}

const idsOf = (made: Plan): readonly number[] =>
  Array.from(made.lanes.values(), ({ routerId }) => routerId);

const cases: readonly {
  readonly name: string;
  readonly world: World;
  readonly ids: readonly number[];
}[] = [
  { name: "an id that a stranger uses is not chosen", world: hearing([heard(1)]), ids: [2] },
  {
    name: "several are passed over",
    world: hearing([heard(1), heard(2, "192.0.2.78"), heard(4)]),
    ids: [3],
  },
  {
    name: "what an agent of ours says with its own address is not a stranger's",
    world: hearing([heard(1, "192.0.2.12")]),
    ids: [1],
  },
  {
    name: "what is heard on a link of another network does not matter here",
    world: hearing([heard(1, "203.0.113.7", "eth9")]),
    ids: [1],
  },
  {
    name: "what an agent heard that is out of reach is old",
    world: hearing([heard(1)], { connected: false, disconnectedAtMs: 0 }),
    ids: [1],
  },
];
for (const { name, world, ids } of cases) {
  test(name, () => assert.deepEqual(idsOf(planned(world)), ids));
}

test("an id of ours that a stranger begins to use is told with its address, and kept", () => {
  const world = hearing([]);
  const made = planned(world);
  const agents = proveAll(world, made).map((agent) =>
    agent.report === undefined
      ? agent
      : { ...agent, report: { ...agent.report, heardRouters: [heard(1), heard(9)] } },
  );
  const next = planned(nextWorld(world, made, { agents }));
  assert.deepEqual(idsOf(next), [1]);
  const detail = "192.0.2.77 speaks VRRP on eth0 with router id 1 of lane 192.0.2.0/24#1";
  assert.deepEqual(next.findings, [
    { subject: "agent", name: "lb-1", reason: "RouterIdHeard", detail },
    { subject: "agent", name: "lb-2", reason: "RouterIdHeard", detail },
  ]);
});
