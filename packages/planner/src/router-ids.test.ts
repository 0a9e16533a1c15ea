// Which router id a new lane gets: the lowest that nobody in its segment has, reserves, or ran when
// it was heard last.

import assert from "node:assert/strict";
import { test } from "node:test";

import type { Lane, Plan, World } from "@fairlead/model";
import {
  makeAgents,
  makeClaim,
  makeRevisionOf,
  makeWorld,
  nextWorld,
  proveAll,
  verdictLine,
} from "@fairlead/testkit";

import { plan } from "./index.ts";

const revisionOf = makeRevisionOf();
const planned = (world: World): Plan => plan(world, { revisionOf });
const claims = [makeClaim("svc-0")];
const lanesOf = (last: Plan): readonly Lane[] => [...last.lanes.values()];

test("an empty lane goes, and its router id is used again", () => {
  const world = makeWorld({ claims });
  const first = planned(world);
  const gone = nextWorld(world, first, {
    claims: [],
    agents: proveAll(world, planned(makeWorld())),
  });
  const second = planned(gone);
  assert.equal(second.lanes.size, 0);
  const third = planned(nextWorld(gone, second, { claims: [makeClaim("new")] }));
  assert.deepEqual(
    lanesOf(third).map(({ routerId }) => routerId),
    [1],
  );
});

test("the router id of a lane that a host ran when it was heard last is used for no new one", () => {
  const world = makeWorld({ claims, agents: makeAgents(3) });
  const first = planned(world);
  const [late] = proveAll(world, first, { revisionOf });
  assert.ok(late !== undefined);
  const freed = proveAll(world, planned(makeWorld({ agents: makeAgents(3) })), { revisionOf });
  const second = planned(nextWorld(world, first, { claims: [], agents: freed }));
  assert.equal(second.lanes.size, 0);
  // Its stream broke before it could say that it runs the lane no more.
  const away = { ...late, connected: false, disconnectedAtMs: world.nowMs };
  const agents = [away, ...freed.filter(({ name }) => name !== late.name)];
  const third = planned(nextWorld(world, second, { claims: [makeClaim("new")], agents }));
  assert.deepEqual(
    lanesOf(third).map(({ routerId, order }) => [routerId, order.includes(late.name)]),
    [[2, false]],
  );
});

test("the router id of a freed lane is used for no new one while somebody of it may still come", () => {
  const world = makeWorld({ claims, agents: makeAgents(3) });
  const first = planned(world);
  const freed = proveAll(world, planned(makeWorld({ agents: makeAgents(3) })), { revisionOf });
  const [late, ...others] = freed;
  assert.ok(late !== undefined);
  // Another controller leads since, to which one host did not come yet: it runs the lane.
  const lead = { heardSinceMs: world.nowMs, agents: new Map(others.map((one) => [one.name, one])) };
  const gone = { ...nextWorld(world, first, { claims: [] }), ...lead };
  const second = planned(gone);
  assert.ok([...second.nodePlans.values()].every(({ resources }) => resources.size === 0));
  const next = { ...nextWorld(gone, second, { claims: [makeClaim("new")] }), ...lead };
  const third = planned(next);
  const [, opened] = lanesOf(third);
  assert.deepEqual([opened?.routerId, opened?.order.includes(late.name)], [2, false]);
  // It came, and runs nothing of it any more.
  const here = new Map(freed.map((one) => [one.name, one]));
  const fourth = planned({ ...nextWorld(next, third), ...lead, agents: here });
  assert.deepEqual(
    lanesOf(fourth).map(({ routerId }) => routerId),
    [2],
  );
});

test("reserved router ids are never used", () => {
  const base = makeWorld({ claims });
  const settings = { ...base.settings, reservedRouterIds: [1, 2, 51] };
  assert.deepEqual(
    lanesOf(planned({ ...base, settings })).map(({ routerId }) => routerId),
    [3],
  );
});

test("when no router id is left, the Service waits and says why", () => {
  const base = makeWorld({ claims });
  const reservedRouterIds = Array.from({ length: 255 }, (_, i) => i + 1);
  const last = planned({ ...base, settings: { ...base.settings, reservedRouterIds } });
  assert.equal(verdictLine(last, "svc-0"), "pending 192.0.2.100 LanesExhausted");
  assert.equal(last.findings[0]?.reason, "LanesExhausted");
});

test("a host ran a freed lane on, the leader crashed, and its number was a new lane's", () => {
  const world = makeWorld({ claims, agents: makeAgents(3) });
  const first = planned(world);
  const served = nextWorld(world, first, { agents: proveAll(world, first, { revisionOf }) });
  const second = planned(served);
  const holder = lanesOf(second)[0]?.order[0];
  // The others report that they have neither address nor lane; the holder is slow with its lane.
  const freed = proveAll(world, planned(makeWorld({ agents: makeAgents(3) })), { revisionOf });
  const agents = freed.map((one) => {
    const lanes = served.agents.get(one.name)?.report?.lanes ?? [];
    const isSlow = one.name === holder && one.report !== undefined;
    return isSlow ? { ...one, report: { ...one.report, lanes } } : one;
  });
  const emptied = nextWorld(served, second, { claims: [], agents });
  const kept = planned(emptied);
  assert.deepEqual(
    lanesOf(kept).map(({ routerId }) => routerId),
    [1],
    "the next leader reads of it in the store",
  );
  assert.ok([...kept.nodePlans.values()].every(({ resources }) => resources.size === 0));
  const here = new Map(freed.map((one) => [one.name, one]));
  const ended = planned({ ...nextWorld(emptied, kept), agents: here });
  assert.deepEqual(lanesOf(ended), [], "nobody runs it any more");
});
