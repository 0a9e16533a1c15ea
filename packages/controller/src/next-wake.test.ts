// When an idle controller wakes by itself.

import assert from "node:assert/strict";
import { test } from "node:test";

import { type LeaseState, laneName } from "@fairlead/model";
import { plan, staleAtMs } from "@fairlead/planner";
import {
  address as addressOf,
  makeAgent,
  makeClaim,
  makeRevisionOf,
  makeWorld,
} from "@fairlead/testkit";

import { createNextWake } from "./next-wake.ts";

const NOW_MS = 1_000_000;
/** What this agent waits beyond the minute. */
const OWN_MS =
  (staleAtMs(makeAgent("lb-1", { goneAtMs: 0 }), { staleAfterMs: 60_000 }) ?? 0) - 60_000;

const cases: readonly {
  readonly name: string;
  readonly state?: LeaseState;
  readonly goneAtMs?: number;
  readonly lostAtMs?: number;
  readonly strangerAtMs?: number;
  readonly wakes: number | undefined;
}[] = [
  { name: "an idle controller does not wake", wakes: undefined },
  {
    name: "it wakes when a quarantine ends",
    state: { kind: "quarantined", untilMs: NOW_MS + 4000 },
    wakes: 4000,
  },
  {
    name: "a quarantine that has ended does not wake it again",
    state: { kind: "quarantined", untilMs: NOW_MS - 1 },
    wakes: undefined,
  },
  {
    name: "it wakes when an agent's silence becomes doubt",
    goneAtMs: NOW_MS - 10_000,
    wakes: 50_000 + OWN_MS,
  },
  { name: "doubt does not wake it again", goneAtMs: NOW_MS - 68_000, wakes: undefined },
  {
    name: "the first of both counts",
    state: { kind: "quarantined", untilMs: NOW_MS + 4000 },
    goneAtMs: NOW_MS - 59_000 - OWN_MS,
    wakes: 1000,
  },
  { name: "it wakes when a lost address is withdrawn", lostAtMs: NOW_MS - 1001, wakes: 4999 },
  {
    name: "it wakes when an address that a stranger had may be tried again",
    strangerAtMs: NOW_MS - 50_000,
    wakes: 10_000,
  },
  {
    name: "it never spins",
    state: { kind: "quarantined", untilMs: NOW_MS + 1 },
    wakes: 10,
  },
];

for (const { name, state, goneAtMs, lostAtMs, strangerAtMs, wakes } of cases) {
  test(name, () => {
    const agent = makeAgent("lb-1", goneAtMs === undefined ? {} : { goneAtMs });
    const lost = new Map(lostAtMs === undefined ? [] : [[addressOf("192.0.2.100"), lostAtMs]]);
    const strangers = new Map(
      strangerAtMs === undefined
        ? []
        : [[addressOf("192.0.2.101"), { mac: "02:00:00:00:99:99", heardAtMs: strangerAtMs }]],
    );
    const agents = [{ ...agent, lostAtMs: lost, strangers }];
    const world = makeWorld({ nowMs: NOW_MS, agents, claims: [makeClaim("web")] });
    const made = plan(world, { revisionOf: makeRevisionOf() });
    const leases = new Map(
      Array.from(made.leases, ([address, lease]) => [
        address,
        state === undefined ? lease : { ...lease, state },
      ]),
    );
    const nextWakeMs = createNextWake();
    assert.equal(nextWakeMs(world, { ...made, leases }), wakes);
    assert.equal(nextWakeMs(world, { ...made, leases }), wakes, "asked again");
  });
}

test("it wakes when who listens in a lane may know that its holder is gone", () => {
  const agent = makeAgent("lb-1");
  const world = makeWorld({ nowMs: NOW_MS, agents: [agent], claims: [makeClaim("web")] });
  const fresh = plan(world, { revisionOf: makeRevisionOf() });
  const held = Array.from(fresh.lanes, ([id, lane]) => [id, { ...lane, settled: true }] as const);
  const made = { ...fresh, lanes: new Map(held) };
  const [name] = Array.from(made.lanes.keys(), laneName);
  const laneSinceMs = new Map(name === undefined ? [] : [[name, NOW_MS - 1000]]);
  const since = { ...world, agents: new Map([[agent.name, { ...agent, laneSinceMs }]]) };
  assert.equal(createNextWake()(since, made), undefined, "it runs the lane");
  assert.equal(createNextWake()(since, fresh), 5400, "a new lane waits for it until then");

  const own = made.nodePlans.get(agent.name);
  assert.ok(own !== undefined);
  const listening = Array.from(
    own.resources,
    ([key, one]) => [key, one.kind === "lane" ? { ...one, listens: true as const } : one] as const,
  );
  const nodePlans = new Map([[agent.name, { ...own, resources: new Map(listening) }]]);
  assert.equal(createNextWake()(since, { ...made, nodePlans }), 5400);
});

test("it wakes when an agent of a lane that did not come yet is in doubt", () => {
  const agents = [makeAgent("lb-1"), makeAgent("lb-2")];
  const world = makeWorld({ nowMs: NOW_MS, agents, claims: [makeClaim("web")] });
  const fresh = plan(world, { revisionOf: makeRevisionOf() });
  const held = Array.from(fresh.lanes, ([id, lane]) => [id, { ...lane, settled: true }] as const);
  const made = { ...fresh, lanes: new Map(held) };
  const heard = { ...makeWorld({ nowMs: NOW_MS, agents: agents.slice(1) }), heardSinceMs: NOW_MS };
  assert.equal(createNextWake()(heard, made), 60_000 + OWN_MS);
  const later = { ...heard, heardSinceMs: NOW_MS - 70_000 };
  assert.equal(createNextWake()(later, made), undefined);
});

test("an address that is given out before its rest is over wakes nobody", () => {
  const world = makeWorld({
    nowMs: NOW_MS,
    agents: [makeAgent("lb-1")],
    claims: [makeClaim("web")],
  });
  const made = plan(world, { revisionOf: makeRevisionOf() });
  const state = { kind: "quarantined", untilMs: NOW_MS + 4000 } as const;
  const resting = new Map(Array.from(made.leases, ([at, lease]) => [at, { ...lease, state }]));
  const nextWakeMs = createNextWake();
  assert.equal(nextWakeMs(world, { ...made, leases: resting }), 4000);
  assert.equal(nextWakeMs(world, made), undefined);
});

test("it wakes when who took an address over has had the time to tell of the gap", () => {
  const world = makeWorld({ nowMs: NOW_MS });
  const made = plan(world, { revisionOf: makeRevisionOf() });
  const open = new Map([[addressOf("192.0.2.100"), NOW_MS - 500]]);
  assert.equal(createNextWake()(world, made, open), 1500);
  assert.equal(createNextWake()(world, made, new Map([...open].map(([at]) => [at, 0]))), undefined);
});
