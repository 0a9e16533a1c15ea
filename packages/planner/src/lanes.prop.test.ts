// The bounds of lanes, for any history and for sizes that an install may reach.

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  LANES_MAX,
  LANES_PER_HOLDER_MAX,
  LANE_AGENTS_MAX,
  type Plan,
  ROUTER_ID_MAX,
  VIPS_PER_LANE_MAX,
  type World,
} from "@fairlead/model";
import {
  arbHistory,
  makeAgent,
  makeClaim,
  makePool,
  makeRevisionOf,
  makeWorld,
  playHistory,
} from "@fairlead/testkit";
import fc from "fast-check";

import { plan } from "./index.ts";

const revisionOf = makeRevisionOf();
const planAlone = (world: World): Plan => plan(world, { revisionOf });

test("lanes stay within their bounds", () => {
  fc.assert(
    fc.property(arbHistory, (history) => {
      playHistory(history, planAlone, (world, planned) => checkLanes(world, planned));
    }),
    { numRuns: 200 },
  );
});

test("lanes stay within their bounds with many agents and many claims", () => {
  const sizes = [
    [1, 1200],
    [2, 3000],
    [3, 5000],
    [30, 3000],
    [230, 2000],
  ] as const;
  for (const [agents, claims] of sizes) {
    const world = makeWorld({
      agents: Array.from({ length: agents }, (_, i) =>
        makeAgent(`lb-${i}`, { prefixes: [`10.0.1.${i + 1}/8`] }),
      ),
      pools: [makePool("default", "10.64.0.0/16")],
      claims: Array.from({ length: claims }, (_, i) => makeClaim(`s${i}`, { members: [] })),
    });
    const planned = planAlone(world);
    checkLanes(world, planned);
    const placed = [...planned.leases.values()].filter((row) => row.placement.kind === "lane");
    assert.equal(placed.length, claims, `${agents} agents carry ${claims} VIPs`);
  }
});

function checkLanes(world: World, planned: Plan): void {
  const loads = new Map<string, number>();
  for (const { placement } of planned.leases.values()) {
    if (placement.kind !== "lane") continue;
    assert.ok(planned.lanes.has(placement.lane), `${placement.lane} is kept`);
    loads.set(placement.lane, (loads.get(placement.lane) ?? 0) + 1);
  }
  const mastered = new Map<string, number>();
  const opened = new Set<string>();
  const ids = new Set<string>();
  for (const lane of planned.lanes.values()) {
    assert.ok((loads.get(lane.id) ?? 0) > 0, `${lane.id} carries something`);
    assert.ok((loads.get(lane.id) ?? 0) < VIPS_PER_LANE_MAX);
    assert.ok(lane.routerId >= 1 && lane.routerId <= ROUTER_ID_MAX);
    assert.equal(new Set(lane.order).size, lane.order.length);
    assert.ok(lane.order.length >= 1 && lane.order.length <= LANE_AGENTS_MAX);
    ids.add(`${lane.segment} ${lane.routerId}`);
    const key = `${lane.segment} ${lane.order[0]}`;
    mastered.set(key, (mastered.get(key) ?? 0) + 1);
    if (!world.lanes.has(lane.id)) opened.add(key);
  }
  assert.equal(ids.size, planned.lanes.size);
  assert.ok(planned.lanes.size <= LANES_MAX);
  // Of lanes that others lost a holder may have more.
  for (const key of opened) assert.ok((mastered.get(key) ?? 0) <= LANES_PER_HOLDER_MAX);
}
