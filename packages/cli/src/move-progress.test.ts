// What is said of moves as they are made, and when there is nothing more to wait for.

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  LaneMoveSchema,
  type ListLanesResponse,
  ListLanesResponseSchema,
  type MessageInitShape,
  create,
} from "@fairlead/wire";

import { type MoveCause, createMoveProgress } from "./move-progress.ts";

type Lanes = MessageInitShape<typeof ListLanesResponseSchema>;
type Lane = NonNullable<Lanes["lanes"]>[number];

const MOVE = create(LaneMoveSchema, { lane: "n#1", from: "a", to: "b", addresses: ["192.0.2.1"] });
const lanes = (lane: Lane | undefined, more: Lanes = {}): ListLanesResponse =>
  create(ListLanesResponseSchema, { lanes: lane === undefined ? [] : [lane], ...more });
const MOVING: Lane = { id: "n#1", holder: "a", movingTo: "b", order: ["b", "a"] };
const record = { from: "a", to: "b", gapMs: 12n };

const cases: readonly {
  readonly name: string;
  readonly cause: MoveCause;
  readonly seen: readonly ListLanesResponse[];
  readonly lines: readonly string[];
  readonly isOver: boolean;
  readonly isGood: boolean;
}[] = [
  {
    name: "a move that goes on and ends",
    cause: "move",
    seen: [lanes(MOVING), lanes(MOVING), lanes({ id: "n#1", holder: "b", lastMove: record })],
    lines: [
      "move: lane n#1 is on its way from a to b",
      "move: lane n#1 is held by b now with 1 address; gap 12 ms",
    ],
    isOver: true,
    isGood: true,
  },
  {
    name: "a move from one that went without another word, whose gap is at most so long",
    cause: "move",
    seen: [lanes({ id: "n#1", holder: "b", lastMove: { ...record, gapIsAtMost: true } })],
    lines: ["move: lane n#1 is held by b now with 1 address; gap at most 12 ms"],
    isOver: true,
    isGood: true,
  },
  {
    name: "a move is not over before the loser spoke, so that its gap is told",
    cause: "drain",
    seen: [
      lanes({ id: "n#1", holder: "b", lastMove: { from: "a", to: "b", gapIsOpen: true } }),
      lanes({ id: "n#1", holder: "b", lastMove: { ...record, gapMs: 0n } }),
    ],
    lines: [
      "move: lane n#1 is on its way from a to b",
      "move: lane n#1 is held by b now with 1 address; gap 0 ms",
    ],
    isOver: true,
    isGood: true,
  },
  {
    name: "a move of which nobody knows the gap",
    cause: "move",
    seen: [lanes({ id: "n#1", holder: "b" })],
    lines: ["move: lane n#1 is held by b now with 1 address; the gap is not known"],
    isOver: true,
    isGood: true,
  },
  {
    name: "the moment in which nobody speaks for the lane",
    cause: "drain",
    seen: [lanes({ ...MOVING, holder: "" }), lanes({ id: "n#1", holder: "" })],
    lines: ["move: lane n#1 is on its way from a to b"],
    isOver: false,
    isGood: false,
  },
  {
    name: "a drain that ends with another one",
    cause: "drain",
    seen: [lanes({ id: "n#1", holder: "c" })],
    lines: ["move: lane n#1 is held by c now, not by b"],
    isOver: true,
    isGood: true,
  },
  {
    name: "a move that ends with another one",
    cause: "move",
    seen: [lanes({ id: "n#1", holder: "c" })],
    lines: ["move: lane n#1 is held by c now, not by b"],
    isOver: true,
    isGood: false,
  },
  {
    name: "a move that was given up",
    cause: "move",
    seen: [lanes({ id: "n#1", holder: "a" })],
    lines: ["move: lane n#1 stays with a; b did not take it"],
    isOver: true,
    isGood: false,
  },
  {
    name: "a rebalance whose turn is not yet",
    cause: "rebalance",
    seen: [lanes({ id: "n#1", holder: "a" }, { rebalancing: true })],
    lines: [],
    isOver: false,
    isGood: false,
  },
  {
    name: "a rebalance that found a better way",
    cause: "rebalance",
    seen: [lanes({ id: "n#1", holder: "a" })],
    lines: ["move: lane n#1 stays with a; b did not take it"],
    isOver: true,
    isGood: true,
  },
  {
    name: "a lane whose last Service goes meanwhile",
    cause: "drain",
    seen: [lanes(MOVING), lanes(undefined)],
    lines: [
      "move: lane n#1 is on its way from a to b",
      "move: lane n#1 is no more; nothing rides in it",
    ],
    isOver: true,
    isGood: true,
  },
];

for (const { name, cause, seen, lines, isOver, isGood } of cases) {
  test(name, () => {
    const progress = createMoveProgress({ moves: [MOVE], cause });
    assert.deepEqual(
      seen.flatMap((list) => progress.see(list)),
      lines,
    );
    assert.deepEqual([progress.isOver, progress.isGood], [isOver, isGood]);
  });
}

test("nothing to move is over at once, and good", () => {
  const { isOver, isGood } = createMoveProgress({ moves: [], cause: "drain" });
  assert.deepEqual([isOver, isGood], [true, true]);
});
