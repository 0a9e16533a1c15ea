// What becomes of moves, lane by lane, as the controller lists its lanes. Given what was to move;
// says each change once, and knows when there is nothing more to wait for. Pure.

import type { LaneMove, LaneRow, ListLanesResponse, MoveRecordRow } from "@fairlead/wire";

/** One lane that was to move, as it is now. */
export interface FollowedMove {
  readonly lane: string;
  readonly from: string;
  readonly to: string;
  readonly addresses: readonly string[];
  /**
   * `gone`: there is no such lane any more. `elsewhere`: somebody holds it who is neither of the
   * two. `given-up`: it is not to move any more.
   */
  readonly state: "waiting" | "moving" | "moved" | "elsewhere" | "given-up" | "gone";
  readonly holder: string;
  /** Absent: reports do not prove how long nobody had the addresses. */
  readonly gapMs?: number;
  /** The gap was at most so long: nobody measured it. */
  readonly isGapAtMost?: true;
}

/** Moves that are followed. */
export interface MoveProgress {
  /** Lines for what is new. */
  see(list: ListLanesResponse): readonly string[];
  /** Whether none of them can still come to its end. */
  readonly isOver: boolean;
  /** Whether what was asked for is done. */
  readonly isGood: boolean;
  readonly moves: readonly FollowedMove[];
}

/** What following needs. */
export interface MoveProgressOptions {
  /** What the controller said it would move. */
  readonly moves: readonly LaneMove[];
  /** For what they are made. A rebalance makes one after the other: those that wait may begin. */
  readonly cause: MoveCause;
}

/** What an operator asked for. */
export type MoveCause = "drain" | "move" | "rebalance";

/** Starts following. */
export function createMoveProgress(options: MoveProgressOptions): MoveProgress {
  const { cause } = options;
  let moves = options.moves.map(({ lane, from, to, addresses }): FollowedMove => {
    return { lane, from, to, addresses, state: "waiting", holder: from };
  });
  return {
    see: (list) => {
      const lanes = new Map(list.lanes.map((lane) => [lane.id, lane]));
      const mayBegin = cause === "rebalance" && list.rebalancing;
      const lines: string[] = [];
      moves = moves.map((move) => {
        const next = follow(move, lanes.get(move.lane), mayBegin);
        if (next.state !== move.state) lines.push(lineOf(next));
        return next;
      });
      return lines;
    },
    get isOver() {
      return moves.every(({ state }) => state !== "waiting" && state !== "moving");
    },
    get isGood() {
      return moves.every(({ state }) => GOOD[cause].includes(state));
    },
    get moves() {
      return moves;
    },
  };
}

/** What may become of each move where all is well: a rebalance may find a better way meanwhile. */
const GOOD: Readonly<Record<MoveCause, readonly FollowedMove["state"][]>> = {
  move: ["moved"],
  drain: ["moved", "elsewhere", "gone"],
  rebalance: ["moved", "elsewhere", "gone", "given-up"],
};

function follow(move: FollowedMove, lane: LaneRow | undefined, mayBegin: boolean): FollowedMove {
  if (move.state !== "waiting" && move.state !== "moving") return move;
  if (lane === undefined) return { ...move, state: "gone", holder: "" };
  const { holder, movingTo, lastMove } = lane;
  if (movingTo !== "") return { ...move, state: "moving", holder };
  if (holder === move.to) {
    // The loser speaks in a moment, and then it is known how long nobody had them.
    if (lastMove?.to === holder && lastMove.gapIsOpen) return { ...move, state: "moving", holder };
    return { ...move, state: "moved", holder, ...gapOf(lastMove, holder) };
  }
  if (holder !== "" && holder !== move.from) return { ...move, state: "elsewhere", holder };
  // Nobody speaks for it in the moment of a takeover.
  if (holder === "" || mayBegin) return move;
  return { ...move, state: "given-up", holder };
}

function gapOf(
  last: MoveRecordRow | undefined,
  to: string,
): Pick<FollowedMove, "gapMs" | "isGapAtMost"> {
  if (last?.gapMs === undefined || last.to !== to) return {};
  return { gapMs: Number(last.gapMs), ...(last.gapIsAtMost ? { isGapAtMost: true } : {}) };
}

function gapText({ gapMs, isGapAtMost }: FollowedMove): string {
  if (gapMs === undefined) return "the gap is not known";
  return `gap ${isGapAtMost === true ? "at most " : ""}${gapMs} ms`;
}

function lineOf(move: FollowedMove): string {
  const { lane, from, to, state, holder, addresses } = move;
  const count = `${addresses.length} ${addresses.length === 1 ? "address" : "addresses"}`;
  switch (state) {
    case "waiting":
    case "moving":
      return `move: lane ${lane} is on its way from ${from} to ${to}`;
    case "moved":
      return `move: lane ${lane} is held by ${to} now with ${count}; ${gapText(move)}`;
    case "elsewhere":
      return `move: lane ${lane} is held by ${holder} now, not by ${to}`;
    case "given-up":
      return `move: lane ${lane} stays with ${holder}; ${to} did not take it`;
    case "gone":
      return `move: lane ${lane} is no more; nothing rides in it`;
  }
}
