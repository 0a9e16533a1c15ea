// How addresses come free: who is waited for, how long they rest, and what an operator's word does.

import assert from "node:assert/strict";
import { test } from "node:test";

import type { LeasedAddress, Plan, World } from "@fairlead/model";
import {
  address,
  agentName,
  makeClaim,
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
const VIP = address("192.0.2.100");

/** `web` was served by all three and is deleted now; nobody has reported since. */
function deleted(options: Parameters<typeof makeWorld>[0] = {}): { world: World; last: Plan } {
  const world = makeWorld({ ...options, claims: [makeClaim("web")] });
  const first = planned(world);
  const served = nextWorld(world, first, { agents: proveAll(world, first) });
  const gone = nextWorld(served, planned(served), { claims: [] });
  return { world: gone, last: planned(gone) };
}

function rowOf(last: Plan): LeasedAddress | undefined {
  return last.leases.get(VIP);
}

test("a deleted Service's address drains until all agents report not holding it", () => {
  const { world, last } = deleted();
  assert.equal(rowOf(last)?.state.kind, "draining");
  assert.equal(rowOf(last)?.published, false);
  assert.deepEqual(rowOf(last)?.sentTo, ["lb-1", "lb-2", "lb-3"]);
  const [finding] = last.findings;
  assert.deepEqual(
    [finding?.subject, finding?.name, finding?.reason, finding?.detail],
    ["address", "192.0.2.100", "Releasing", "waiting for lb-1, lb-2, lb-3"],
  );
  // All but one report an empty plan.
  const dead = ["lb-2"];
  const waiting = nextWorld(world, last, { agents: proveAll(world, last, { dead }) });
  const second = planned(waiting);
  assert.deepEqual([rowOf(second)?.state.kind, rowOf(second)?.sentTo], ["draining", ["lb-2"]]);
  const third = planned(nextWorld(waiting, second, { agents: proveAll(world, second) }));
  assert.deepEqual(rowOf(third)?.state, { kind: "quarantined", untilMs: world.nowMs + 60_000 });
});

test("a report settles nothing while what was sent before may still arrive", () => {
  const { world, last } = deleted();
  const reported = nextWorld(world, last, { agents: proveAll(world, last) });
  const mayStillGet = (agent: string): boolean => agent === "lb-3";
  const waiting = plan(reported, { revisionOf, mayStillGet });
  assert.deepEqual([rowOf(waiting)?.state.kind, rowOf(waiting)?.sentTo], ["draining", ["lb-3"]]);
});

test("a resting address is free when its time has passed, and not before", () => {
  const { world, last } = deleted();
  const reported = nextWorld(world, last, { agents: proveAll(world, last) });
  const resting = planned(reported);
  const at = (passedMs: number): Plan =>
    planned(nextWorld(reported, resting, { nowMs: world.nowMs + passedMs }));
  assert.equal(rowOf(at(59_999))?.state.kind, "quarantined");
  assert.equal(rowOf(at(60_000)), undefined);
});

test("a pool without quarantine frees at once", () => {
  const { world, last } = deleted({
    pools: [makePool("default", "192.0.2.100", { quarantineMs: 0 })],
  });
  const freed = planned(nextWorld(world, last, { agents: proveAll(world, last) }));
  assert.equal(rowOf(freed), undefined);
});

test("an agent that never reports is waited for, until an operator says that it is off", () => {
  const { world, last } = deleted();
  const dead = ["lb-2"];
  const waiting = nextWorld(world, last, { agents: proveAll(world, last, { dead }) });
  const second = planned(waiting);
  const late = nextWorld(waiting, second, { nowMs: world.nowMs + 86_400_000 });
  assert.equal(rowOf(planned(late))?.state.kind, "draining");
  const agent = agentName("lb-2");
  const intents = [{ id: "f1", sinceMs: 1, kind: "forget", agent } as const];
  assert.equal(rowOf(planned({ ...late, intents }))?.state.kind, "quarantined");
});

test("a draining address is given to nobody else, and its asker is told who is waited for", () => {
  const { world, last } = deleted();
  const claims = [makeClaim("other", { wishes: ["192.0.2.100"] })];
  const asked = planned(nextWorld(world, last, { claims }));
  assert.equal(verdictLine(asked, "other"), "pending Releasing");
  assert.equal(rowOf(asked)?.owners.length, 0);
});

test("a Service made again at once takes its draining address back in the same lane", () => {
  const { world, last } = deleted();
  const claims = [makeClaim("web", { uid: "another" })];
  const again = planned(nextWorld(world, last, { claims }));
  assert.equal(rowOf(again)?.state.kind, "held");
  assert.deepEqual(rowOf(again)?.placement, rowOf(last)?.placement);
});

test("a lane of a draining address is kept, so that nobody else speaks with its router id", () => {
  const { world, last } = deleted();
  const claims = [makeClaim("other")];
  const other = planned(nextWorld(world, last, { claims }));
  const placement = rowOf(other)?.placement;
  assert.ok(placement?.kind === "lane");
  assert.ok(other.lanes.has(placement.lane));
});

test("an operator's word ends the rest of an address", () => {
  const { world, last } = deleted();
  const reported = nextWorld(world, last, { agents: proveAll(world, last) });
  const resting = planned(reported);
  const intents = [{ id: "r1", sinceMs: 1, kind: "release", address: VIP } as const];
  assert.equal(rowOf(planned(nextWorld(reported, resting, { intents }))), undefined);
});

test("a forgotten agent leaves its lanes, and another one takes its place", () => {
  const world = makeWorld({ claims: [makeClaim("web")] });
  const first = planned(world);
  const agent = agentName("lb-1");
  const intents = [{ id: "f1", sinceMs: 1, kind: "forget", agent } as const];
  const last = planned(nextWorld(world, first, { intents }));
  for (const lane of last.lanes.values()) assert.ok(!lane.order.includes(agent));
  assert.equal(last.nodePlans.get(agent)?.resources.size, 0);
  assert.ok(!rowOf(last)?.sentTo.includes(agent));
});

test("an operator's word frees an address that drains, although an agent is waited for", () => {
  const { world, last } = deleted();
  const intents = [{ id: "r1", sinceMs: 1, kind: "release", address: VIP } as const];
  const freed = planned(nextWorld(world, last, { intents }));
  assert.equal(rowOf(freed), undefined);
});

test("what an agent still has is given to nobody, although no row is left of it", () => {
  const { world, last } = deleted();
  const agents = proveAll(world, planned(nextWorld(world, last, { claims: [makeClaim("web")] })));
  const claims = [makeClaim("next"), makeClaim("wish", { wishes: ["192.0.2.100"] })];
  const left = nextWorld(world, last, { leases: new Map(), agents, claims });
  const given = planned(left);
  assert.match(verdictLine(given, "next"), /^pending 192\.0\.2\.101 /);
  assert.equal(verdictLine(given, "wish"), "pending Releasing");
  // Its own plan takes it away, and it says so.
  const swept = planned(nextWorld(left, given, { agents: proveAll(left, given) }));
  assert.match(verdictLine(swept, "wish"), /^pending 192\.0\.2\.100 /);
});

test("an agent that has an address that the store did not know of is waited for", () => {
  const world = makeWorld({ claims: [makeClaim("web")] });
  const first = planned(world);
  const agents = proveAll(world, first);
  const older = [...first.leases.values()].map((row) => [row.address, { ...row, sentTo: [] }]);
  const leases = new Map(older as [LeasedAddress["address"], LeasedAddress][]);
  const restored = planned(nextWorld(world, first, { leases, agents, claims: [] }));
  assert.equal(rowOf(restored)?.state.kind, "draining");
  assert.deepEqual(rowOf(restored)?.sentTo, ["lb-1", "lb-2", "lb-3"]);
});
