// The last moves of each address: from whom to whom, why, and how long nobody had it. Pure: given
// the book before and two plans. It is of one term of a leader, and bounded an address.

import {
  type Address,
  type AgentName,
  type LaneId,
  type Plan,
  type World,
  changedKeys,
  laneName,
  patchMap,
} from "@fairlead/model";

import { type Move, accountOf } from "./move-account.ts";

/** Moves that are kept of one address. */
const MOVES_KEPT = 5;

/** A move that was made. */
export interface MoveRecord extends Move {
  /** Epoch ms when it was known here. */
  readonly atMs: number;
  /** Whether it was made for an operator's intent. */
  readonly isPlanned: boolean;
  /** In words, lower case. */
  readonly why: string;
  /** How long nobody had it, in ms, as far as reports prove it; absent: that is not known. */
  readonly gapMs?: number;
  /** The gap was at most so long; see `MoveAccount`. */
  readonly isGapAtMost?: true;
}

/** Who holds which address, and who did. */
export interface MoveBook {
  readonly holders: ReadonlyMap<Address, AgentName>;
  /** The latest first; never empty. */
  readonly moves: ReadonlyMap<Address, readonly MoveRecord[]>;
  /** Moves of the last tracking alone. */
  readonly latest: readonly MoveRecord[];
}

/** Nothing known yet. */
export const NO_MOVES: MoveBook = { holders: new Map(), moves: new Map(), latest: [] };

/** The plan before and the one after, with the world of the latter. */
export interface TrackedPlans {
  readonly before: Plan | undefined;
  readonly now: Plan;
  readonly world: World;
}

/** The book after one more plan. An address that nobody has for a while moves when one has it. */
export function trackMoves(book: MoveBook, plans: TrackedPlans): MoveBook {
  const { before, now, world } = plans;
  const holders = new Map<Address, AgentName | undefined>();
  const moves = new Map<Address, readonly MoveRecord[] | undefined>();
  const latest: MoveRecord[] = [];
  for (const claim of changedKeys(before?.verdicts ?? NO_VERDICTS, now.verdicts)) {
    for (const { address, holder } of now.verdicts.get(claim)?.addresses ?? []) {
      if (holder === undefined || holders.has(address)) continue;
      const from = book.holders.get(address);
      if (from === holder) continue;
      holders.set(address, holder);
      if (from === undefined) continue;
      const record = recordOf({ address, from, to: holder }, plans);
      moves.set(address, [record, ...(book.moves.get(address) ?? [])].slice(0, MOVES_KEPT));
      latest.push(record);
    }
  }
  for (const address of changedKeys(before?.leases ?? NO_LEASES, now.leases)) {
    if (now.leases.has(address) || !book.holders.has(address)) continue;
    holders.set(address, undefined);
    moves.set(address, undefined);
  }
  if (holders.size === 0) return book.latest.length === 0 ? book : { ...book, latest };
  return {
    holders: patchMap(book.holders, holders),
    moves: patchMap(book.moves, moves),
    latest,
  };

  function recordOf(move: Move, { before: last }: TrackedPlans): MoveRecord {
    const { why, gapMs, isGapAtMost } = accountOf(move, world.agents);
    const planned = last === undefined ? undefined : moveFor(last, move);
    return {
      ...move,
      atMs: world.nowMs,
      isPlanned: planned !== undefined,
      why: planned ?? why,
      ...(gapMs === undefined ? {} : { gapMs }),
      ...(isGapAtMost === undefined ? {} : { isGapAtMost }),
    };
  }
}

const NO_VERDICTS: Plan["verdicts"] = new Map();
const NO_LEASES: Plan["leases"] = new Map();

/** For which intent of that plan the address was to go there, in words; undefined: for none. */
function moveFor({ leases, nodePlans, intents }: Plan, { address, to }: Move): string | undefined {
  const placement = leases.get(address)?.placement;
  if (placement?.kind !== "lane") return undefined;
  const id = intentOn(nodePlans, to, placement.lane);
  if (id === undefined) return undefined;
  const intent = intents.find((one) => one.id === id);
  if (intent?.kind === "drain") return `${intent.agent} is drained`;
  return id.startsWith("rebalance-") ? "rebalanced" : "moved by an operator";
}

function intentOn(
  nodePlans: Plan["nodePlans"],
  agent: AgentName,
  lane: LaneId,
): string | undefined {
  const resource = nodePlans.get(agent)?.resources.get(laneName(lane));
  return resource?.kind === "lane" && resource.preempt ? resource.intentId : undefined;
}
