// For tests: the book of moves as the loop keeps it, of plans that have one lane and no more of it
// than moves are read from. Given what a stage publishes, and what an operator asked for.

import {
  type AgentName,
  type Intent,
  type Lane,
  type LaneId,
  laneId,
  laneName,
  type LaneResource,
} from "@fairlead/model";

import { type MoveBook, NO_MOVES, type TrackedPlan, trackMoves } from "../../move-book.ts";
import type { Publication } from "../../ports.ts";

/** The lane of all addresses. */
export const STAGE_LANE: LaneId = laneId("lan", 1);

/** The book, from one publication to the next. */
export class TrackedMoves {
  #book: MoveBook = NO_MOVES;
  #before: TrackedPlan | undefined;
  #lanes: ReadonlyMap<LaneId, Lane> = new Map();
  #asked: Pick<TrackedPlan, "nodePlans" | "intents"> = NOTHING_ASKED;

  /** An operator asks for this, by which the lane shall go there. */
  ask(intent: Intent, to: AgentName): void {
    const name = laneName(STAGE_LANE);
    const lane = { kind: "lane", name, lane: STAGE_LANE, preempt: true, intentId: intent.id };
    const resources = new Map([[name, lane as LaneResource]]);
    const nodePlans = new Map([[to, { agent: to, resources, retained: [] }]]);
    this.#asked = { nodePlans, intents: [intent] };
  }

  /** The moves after one more publication. */
  track(
    { verdicts, leases, agents }: Pick<Publication, "verdicts" | "leases" | "agents">,
    nowMs: number,
  ): MoveBook["moves"] {
    const now = { verdicts, leases, lanes: new Map(), ...this.#asked };
    this.#book = trackMoves(this.#book, {
      before: this.#before,
      now,
      world: { agents, nowMs, leases, lanes: this.#lanes, intents: [] },
    });
    this.#before = now;
    return this.#book.moves;
  }

  /** Another life, or the next lead, in whose store that one holds the lane; default: nobody. */
  forget(holder?: AgentName): void {
    this.#book = NO_MOVES;
    this.#before = undefined;
    this.#lanes = holder === undefined ? new Map() : new Map([[STAGE_LANE, laneOf(holder)]]);
  }
}

function laneOf(holder: AgentName): Lane {
  return {
    id: STAGE_LANE,
    segment: "lan",
    routerId: 1,
    order: [holder],
    holder,
    settled: true,
  };
}

const NOTHING_ASKED: Pick<TrackedPlan, "nodePlans" | "intents"> = {
  nodePlans: new Map(),
  intents: [],
};
