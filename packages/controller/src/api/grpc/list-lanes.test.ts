// Lanes as those see them who follow moves, and what tables and chains say of drains, freezes and
// moves.

import assert from "node:assert/strict";
import { test } from "node:test";

import { type Intent, type Plan, type World, present } from "@fairlead/model";
import { plan } from "@fairlead/planner";
import {
  address,
  makeAgents,
  makeClaim,
  makeCycleView,
  makePool,
  makeRevisionOf,
  makeWorld,
  nextWorld,
  proveAll,
} from "@fairlead/testkit";

import type { CycleView } from "../../cycle-view.ts";
import type { MoveRecord } from "../../move-book.ts";
import type { AdminContext } from "./admin-context.ts";
import { explain } from "./explain.ts";
import { list } from "./list.ts";
import { listLanes } from "./list-lanes.ts";

const revisionOf = makeRevisionOf();
const VIP = address("192.0.2.100");
const SINCE_MS = 1_000_000;

/** One address that is served, and what operators asked for after that. */
function contextOf(
  ask: (order: readonly string[]) => readonly Intent[],
  changes: (order: readonly string[]) => Partial<CycleView> = () => ({}),
): { readonly context: AdminContext; readonly order: readonly string[] } {
  const pools = [makePool("lan", VIP)];
  let world: World = makeWorld({ claims: [makeClaim("web")], pools, agents: makeAgents(3) });
  let made: Plan = plan(world, { revisionOf });
  world = nextWorld(world, made, { agents: proveAll(world, made) });
  made = plan(world, { revisionOf });
  const order = [...made.lanes.values()].flatMap((lane) => lane.order);
  world = nextWorld(world, made, { intents: ask(order) });
  made = plan(world, { revisionOf });
  const context: AdminContext = {
    nowMs: world.nowMs + 5000,
    uptimeMs: 0,
    version: "0.1.0",
    view: makeCycleView(world, made, changes(order)),
    syncState: () => ({ state: "in-sync", detail: "" }),
  };
  return { context, order };
}

const agentAt = (order: readonly string[], at: number): Extract<Intent, { kind: "drain" }> => {
  const agents = makeAgents(3).map(({ name }) => name);
  const agent = present(
    agents.find((name) => name === order[at]),
    "an agent is there",
  );
  return { id: `drain-${agent}`, sinceMs: SINCE_MS, kind: "drain", agent };
};

test("a lane that is moving names who it goes to", () => {
  const { context, order } = contextOf((names) => [agentAt(names, 0)]);
  const [first, second, third] = order;
  const { lanes: [lane] = [], rebalancing } = listLanes(context.view);
  assert.deepEqual(
    [lane?.holder, lane?.movingTo, lane?.order, lane?.addresses, rebalancing],
    [first, second, [second, third, first], 1, false],
  );
});

test("a lane that was moved has the worst gap of its addresses", () => {
  const record = (from: string, to: string): MoveRecord => {
    const move = { address: VIP, from, to, atMs: SINCE_MS, isPlanned: true, why: "x", gapMs: 7 };
    return move as MoveRecord;
  };
  const moved = contextOf(
    () => [],
    ([first = "", second = ""]) => ({ moves: new Map([[VIP, [record(second, first)]]]) }),
  );
  const [lane] = listLanes(moved.context.view).lanes ?? [];
  assert.equal(lane?.lastMove?.gapMs, 7n);
  const { steps = [] } = explain(moved.context, VIP);
  const [first, second] = moved.order;
  const said = steps.find(({ title }) => title === "Moved")?.detail;
  assert.equal(said, `from ${second} to ${first}, planned, gap 7 ms: x`);
  // It went on since then, and nobody has noted how.
  const older = contextOf(
    () => [],
    ([head = "", next = ""]) => ({ moves: new Map([[VIP, [record(head, next)]]]) }),
  );
  assert.equal(listLanes(older.context.view).lanes?.[0]?.lastMove, undefined);
});

test("a drained agent and a freeze stand in tables and chains", () => {
  const freeze: Intent = { id: "freeze", sinceMs: SINCE_MS, kind: "freeze" };
  const { context, order } = contextOf((names) => [agentAt(names, 0), freeze]);
  const { controller, agents = [] } = list(context, { kinds: [] });
  assert.equal(controller?.frozenSinceMs, BigInt(SINCE_MS));
  assert.equal(listLanes(context.view).frozenSinceMs, BigInt(SINCE_MS));
  const drained = agents.filter((row) => row.drainedSinceMs !== undefined);
  assert.deepEqual(
    drained.map(({ name, drainedSinceMs }) => [name, drainedSinceMs]),
    [[order[0], BigInt(SINCE_MS)]],
  );
  const told = (name = ""): string | undefined =>
    explain(context, name).steps?.find(({ title }) => title === "Drained")?.detail;
  assert.equal(told(order[0]), "it still holds 1 address: all is frozen");
  assert.equal(told(order[1]), undefined);
});
