// Who comes first in a lane: who is chosen in the place of a drained holder, for how long one that
// was chosen stays chosen, and that drained agents come last.

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  type AgentName,
  type AgentView,
  type Intent,
  type Lane,
  type LaneReport,
  laneId,
  laneName,
} from "@fairlead/model";
import { agentName, makeAgent, makeReport, makeWorld } from "@fairlead/testkit";

import { drainTarget, rankLane } from "./rank.ts";
import { STALE_SPREAD_MS } from "./stale.ts";
import { willOf } from "./will.ts";

const NOW_MS = 1_000_000;
const STALE_AFTER_MS = 60_000;
const [A, B, C] = [agentName("lb-a"), agentName("lb-b"), agentName("lb-c")];

function lane(...order: readonly AgentName[]): Lane {
  const id = laneId("192.0.2.0/24", 51);
  return { id, segment: "192.0.2.0/24", routerId: 51, order, settled: true };
}

interface Said {
  /** What it says of the lane; undefined: nothing. */
  readonly state?: LaneReport["state"] | undefined;
  /** For how long its stream is closed, in ms; absent: it is open. */
  readonly goneForMs?: number;
}

/** An agent that says this of the lane. */
function agent(name: AgentName, { state, goneForMs }: Said): AgentView {
  const plan = { agent: name, resources: new Map(), retained: [] };
  const bare = makeReport(
    plan,
    () => false,
    () => assert.fail("it has no resources"),
  );
  const lanes = state === undefined ? [] : [{ name: laneName(lane().id), state }];
  return makeAgent(name, {
    report: { ...bare, lanes },
    ...(goneForMs === undefined ? {} : { goneAtMs: NOW_MS - goneForMs }),
  });
}

const drain = (name: AgentName): Intent => ({ id: name, sinceMs: 1, kind: "drain", agent: name });
const READY: Said = { state: "successor" };

/** `A` holds the lane and is drained; the others say this, absent ones are not there. */
const cases: readonly {
  readonly name: string;
  readonly order: readonly AgentName[];
  readonly b?: Said;
  readonly c?: Said;
  readonly drained?: readonly AgentName[];
  readonly to: AgentName | undefined;
}[] = [
  { name: "the first that stands by", order: [A, B, C], b: READY, c: READY, to: B },
  { name: "no one that is faulty", order: [A, B, C], b: { state: "fault" }, c: READY, to: C },
  { name: "no one that says nothing", order: [A, B, C], b: {}, c: READY, to: C },
  {
    name: "no one that is out of reach",
    order: [A, B, C],
    b: { ...READY, goneForMs: 1 },
    c: READY,
    to: C,
  },
  {
    name: "no one that is drained itself",
    order: [A, B, C],
    b: READY,
    c: READY,
    drained: [B],
    to: C,
  },
  { name: "nobody, where none stands by", order: [A, B], b: { state: "fault" }, to: undefined },
  { name: "nobody, where there is no other", order: [A], to: undefined },
  { name: "chosen, and standing by", order: [C, A, B], b: READY, c: READY, to: C },
  {
    name: "chosen, and holding it by now",
    order: [C, A, B],
    b: READY,
    c: { state: "holder" },
    to: C,
  },
  {
    name: "chosen, and out of reach for a moment",
    order: [C, A, B],
    b: READY,
    c: { ...READY, goneForMs: STALE_AFTER_MS - 1 },
    to: C,
  },
  {
    name: "chosen, and gone for long",
    order: [C, A, B],
    b: READY,
    c: { ...READY, goneForMs: STALE_AFTER_MS + STALE_SPREAD_MS },
    to: B,
  },
  { name: "chosen, and faulty", order: [C, A, B], b: READY, c: { state: "fault" }, to: B },
  { name: "chosen, and silent of the lane", order: [C, A, B], b: READY, c: {}, to: B },
  { name: "chosen, and no longer known", order: [C, A, B], b: READY, to: B },
  {
    name: "chosen, and drained since",
    order: [C, A, B],
    b: READY,
    c: READY,
    drained: [C],
    to: B,
  },
];
for (const { name, order, b, c, drained = [], to } of cases) {
  test(`in the place of a drained holder: ${name}`, () => {
    const others = [b && agent(B, b), c && agent(C, c)].filter((one) => one !== undefined);
    const intents = [A, ...drained].map(drain);
    const world = makeWorld({
      nowMs: NOW_MS,
      settings: { ...makeWorld().settings, staleAfterMs: STALE_AFTER_MS },
      agents: [agent(A, { state: "holder" }), ...others],
      intents,
    });
    const options = { world, will: willOf(world), lane: lane(...order), holder: A, isHeld: true };
    assert.equal(drainTarget(options), to);
    const { move, order: ranked } = rankLane(options);
    assert.deepEqual(move, to === undefined ? undefined : { to, intentId: A });
    assert.equal(ranked[0], to ?? A);
  });
}

for (const state of ["successor", "fault", "absent", undefined] as const) {
  const goesOn = state === "successor";
  const what = `a drained holder that says ${state ?? "nothing"} before its successor speaks`;
  test(`${what}: its move ${goesOn ? "goes on" : "is not made"}`, () => {
    const world = makeWorld({
      agents: [agent(A, { state }), agent(B, READY)],
      intents: [drain(A)],
    });
    const options = { world, will: willOf(world), lane: lane(B, A), holder: A, isHeld: false };
    assert.deepEqual(rankLane(options).move, goesOn ? { to: B, intentId: A } : undefined);
  });
}

const will = (...intents: readonly Intent[]) => willOf({ intents });
const FREEZE: Intent = { id: "f", sinceMs: 1, kind: "freeze" };

test("drained agents come last, and while all is frozen nobody changes places but the holder", () => {
  const world = makeWorld({ agents: [A, B, C].map((name) => agent(name, READY)) });
  const options = { world, lane: lane(A, B, C), holder: A, isHeld: true };
  assert.deepEqual(rankLane({ ...options, will: will(drain(B)) }).order, [A, C, B]);
  assert.deepEqual(rankLane({ ...options, will: will(drain(A)) }).order, [B, C, A]);
  assert.deepEqual(rankLane({ ...options, will: will(drain(B), FREEZE) }), {
    order: [A, B, C],
  });
  const followed = rankLane({ ...options, holder: C, will: will(drain(A), FREEZE) });
  assert.deepEqual(followed, { order: [C, A, B] });
});

test("a move comes before a drain, ends with its aim, and an order that stays is the same list", () => {
  const world = makeWorld({ agents: [A, B, C].map((name) => agent(name, READY)) });
  const known = lane(A, B, C);
  const options = { world, lane: known, holder: A, isHeld: true };
  const move: Intent = { id: "m", sinceMs: 1, kind: "move", lane: known.id, to: C };
  const moved = rankLane({ ...options, will: will(drain(A), move) });
  assert.deepEqual(moved, { order: [C, B, A], move: { to: C, intentId: "m" } });
  const done = rankLane({ ...options, holder: C, lane: lane(C, A, B), will: will(move) });
  assert.deepEqual(done, { order: [C, A, B] });
  assert.equal(rankLane({ ...options, will: will() }).order, known.order);
});

test("a drained lane that nobody is known to hold is left as it is", () => {
  const world = makeWorld({ agents: [A, B].map((name) => agent(name, READY)) });
  const options = { world, lane: lane(A, B), holder: A, isHeld: false, will: will(drain(A)) };
  assert.equal(rankLane(options).move, undefined);
});
