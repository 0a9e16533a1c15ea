// The bounds of lanes, for any history and for sizes that an install may reach.

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  type Address,
  type Claim,
  type ClaimId,
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
  nextWorld,
  playHistory,
  proveAll,
} from "@fairlead/testkit";
import fc from "fast-check";

import { plan } from "./index.ts";
import { isRunBy } from "./lane-holders.ts";

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

test("a lane that is found on agents again is filled no further by those that are new", () => {
  const claims = (name: string, count: number): readonly Claim[] =>
    Array.from({ length: count }, (_, i) => makeClaim(`${name}${i}`, { members: [] }));
  const world = makeWorld({
    agents: [makeAgent("lb", { prefixes: ["10.0.1.1/8"] })],
    pools: [makePool("default", "10.64.8.0/21")],
    claims: claims("old", VIPS_PER_LANE_MAX - 20),
  });
  const first = planAlone(world);
  const agents = proveAll(world, first, { revisionOf });
  const held = new Map<ClaimId, Address>();
  for (const { address, owners } of first.leases.values()) {
    for (const { claim } of owners) held.set(claim, address);
  }
  const known = Array.from(world.claims.values(), (claim): Claim => {
    const address = held.get(claim.id);
    return address === undefined ? claim : { ...claim, statusAddresses: [address] };
  });
  // The store is an older copy, and the new ones are placed first.
  const leases = new Map([...first.leases].slice(0, 1));
  const pools = [makePool("default", "10.64.0.0/16")];
  const all = [...known, ...claims("new", 100)];
  const next = nextWorld(world, { ...first, leases }, { agents, pools, claims: all });
  const planned = planAlone(next);
  checkLanes(next, planned);
  assert.equal(planned.leases.size, all.length);
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
    const isRun = lane.order.some((agent) => isRunBy(world, lane, agent));
    assert.ok((loads.get(lane.id) ?? 0) > 0 || isRun, `${lane.id} carries something, or is run`);
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
