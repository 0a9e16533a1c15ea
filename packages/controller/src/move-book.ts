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

import { type Move, type MoveAccount, accountOf, inLane } from "./move-account.ts";

/** Moves that are kept of one address. */
const MOVES_KEPT = 5;

/** A move that was made. */
export interface MoveRecord extends Move {
  /** Epoch ms when it was known here. */
  readonly atMs: number;
  /** Whether it was made for an operator's intent. */
  readonly isPlanned: boolean;
  /** In words, lower case; empty: nothing is known. */
  readonly why: string;
  /** When the two were heard, in words; empty: nothing is known. */
  readonly heard: string;
  /** How long nobody had it, in ms, as far as reports prove it; absent: that is not known. */
  readonly gapMs?: number;
  /** The gap was at most so long; see `MoveAccount`. */
  readonly isGapAtMost?: true;
  /** The gap is not known yet; see `MoveAccount`. */
  readonly isOpen?: true;
}

/** Who holds which address, and who did. */
export interface MoveBook {
  readonly holders: ReadonlyMap<Address, AgentName>;
  /** The latest first; never empty. */
  readonly moves: ReadonlyMap<Address, readonly MoveRecord[]>;
  /** Moves that the last tracking accounted for; one whose gap is not known yet comes later. */
  readonly latest: readonly MoveRecord[];
  /** Addresses whose last move is open: the loser's last word before it, epoch ms. */
  readonly open: ReadonlyMap<Address, number>;
  /**
   * For which intent lanes came to their present holders, in words; absent of others. The intent is
   * over when the lane is there, and its addresses may be heard of later than that.
   */
  readonly cameFor: ReadonlyMap<LaneId, string>;
}

/** Nothing known yet. */
export const NO_MOVES: MoveBook = {
  holders: new Map(),
  moves: new Map(),
  latest: [],
  open: new Map(),
  cameFor: new Map(),
};

/** What of a plan says who holds what, and who was to have it. */
export type TrackedPlan = Pick<Plan, "verdicts" | "leases" | "lanes" | "nodePlans" | "intents">;

/** The plan before and the one after, with the world of the latter. */
export interface TrackedPlans {
  readonly before: TrackedPlan | undefined;
  readonly now: TrackedPlan;
  readonly world: Pick<World, "agents" | "nowMs">;
}

/** The book after one more plan. An address that nobody has for a while moves when one has it. */
export function trackMoves(book: MoveBook, plans: TrackedPlans): MoveBook {
  const { before, now, world } = plans;
  const holders = new Map<Address, AgentName | undefined>();
  const moves = new Map<Address, readonly MoveRecord[] | undefined>();
  const latest: MoveRecord[] = [];
  const open = new Map<Address, number>();
  const cameFor = patchMap(book.cameFor, arrivals(before, now));
  for (const claim of changedKeys(before?.verdicts ?? NO_VERDICTS, now.verdicts)) {
    for (const { address, holder } of now.verdicts.get(claim)?.addresses ?? []) {
      if (holder === undefined || holders.has(address)) continue;
      const from = book.holders.get(address);
      if (from === holder) continue;
      holders.set(address, holder);
      if (from === undefined) continue;
      const record = recordOf({ address, from, to: holder, ...inLane(now.leases.get(address)) });
      const older = (book.moves.get(address) ?? []).map(closed);
      moves.set(address, [record, ...older].slice(0, MOVES_KEPT));
      if (record.isOpen) open.set(address, world.agents.get(from)?.heardAtMs ?? world.nowMs);
      else latest.push(record);
    }
  }
  for (const address of changedKeys(before?.leases ?? NO_LEASES, now.leases)) {
    if (now.leases.has(address) || !book.holders.has(address)) continue;
    holders.set(address, undefined);
    moves.set(address, undefined);
  }
  for (const [address, lastWordMs] of book.open) {
    const [record, ...older] = book.moves.get(address) ?? [];
    if (record === undefined || moves.has(address)) continue;
    const account = accountOf(record, world.agents, lastWordMs);
    if (account.isOpen) {
      open.set(address, lastWordMs);
      continue;
    }
    const settled = withAccount(closed(record), account);
    moves.set(address, [settled, ...older]);
    latest.push(settled);
  }
  if (holders.size + moves.size === 0) {
    const isSame = book.latest.length === 0 && cameFor === book.cameFor;
    return isSame ? book : { ...book, latest, cameFor };
  }
  return {
    holders: patchMap(book.holders, holders),
    moves: patchMap(book.moves, moves),
    latest,
    open,
    cameFor,
  };

  function recordOf(move: Move): MoveRecord {
    const lane = move.lane === undefined ? undefined : now.lanes.get(move.lane);
    const isThere = lane?.holder === move.to;
    const planned = isThere ? cameFor.get(lane.id) : before && moveFor(before, move);
    const isPlanned = planned !== undefined;
    const record = { ...move, atMs: world.nowMs, isPlanned, why: planned ?? "", heard: "" };
    return withAccount(record, accountOf(move, world.agents));
  }
}

/** An operator's intent says better why than what agents reported. */
function withAccount(record: MoveRecord, account: MoveAccount): MoveRecord {
  return { ...record, ...account, why: record.isPlanned ? record.why : account.why };
}

/** A move after which the address moved on is never told: its gap stays unknown. */
function closed(record: MoveRecord): MoveRecord {
  const { isOpen: _, ...rest } = record;
  return rest;
}

const NO_VERDICTS: Plan["verdicts"] = new Map();
const NO_LEASES: Plan["leases"] = new Map();
const NO_LANES: Plan["lanes"] = new Map();

/** Lanes that are at another holder than before, with the intent that brought them there. */
function arrivals(
  before: TrackedPlan | undefined,
  now: TrackedPlan,
): Map<LaneId, string | undefined> {
  const came = new Map<LaneId, string | undefined>();
  for (const lane of changedKeys(before?.lanes ?? NO_LANES, now.lanes)) {
    const to = now.lanes.get(lane)?.holder;
    if (to !== undefined && to === before?.lanes.get(lane)?.holder) continue;
    came.set(
      lane,
      to === undefined || before === undefined ? undefined : intentFor(before, lane, to),
    );
  }
  return came;
}

/** For which intent of that plan the address was to go there, in words; undefined: for none. */
function moveFor(plan: TrackedPlan, { address, to }: Move): string | undefined {
  const { lane } = inLane(plan.leases.get(address));
  return lane === undefined ? undefined : intentFor(plan, lane, to);
}

function intentFor(
  { nodePlans, intents }: TrackedPlan,
  lane: LaneId,
  to: AgentName,
): string | undefined {
  const id = intentOn(nodePlans, to, lane);
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
