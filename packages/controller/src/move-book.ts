// The last moves of each address: from whom to whom, why, and how long nobody had it. Pure: given
// the book before and two plans. It is of one term of a leader, and bounded an address. A leader
// begins with what the store says, so that it finds what moved before its first plan.

import {
  type Address,
  type AgentName,
  type AgentView,
  type LaneId,
  type Plan,
  changedKeys,
  laneName,
  patchMap,
} from "@fairlead/model";

import {
  foundAccountOf,
  type HolderMap,
  type MoveWorld,
  storedCause,
  storedHolders,
} from "./found-moves.ts";
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
  /** This leader never saw the loser with it, so that it may be older than `atMs`. */
  readonly isFound?: true;
}

/** Who holds which address, and who did. */
export interface MoveBook {
  readonly holders: HolderMap;
  /** Who had which address when the lead began, by the store, of those with nobody seen since. */
  readonly stored: HolderMap;
  /** The latest first; never empty. */
  readonly moves: ReadonlyMap<Address, readonly MoveRecord[]>;
  /**
   * Moves that the last tracking accounted for, each of them once. One whose gap is not known yet
   * comes later, and without a gap where the address moved on or was freed before.
   */
  readonly latest: readonly MoveRecord[];
  /**
   * Addresses whose last move is open, in epoch ms: the loser's last word before it, or when it was
   * found.
   */
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
  stored: new Map(),
  moves: new Map(),
  latest: [],
  open: new Map(),
  cameFor: new Map(),
};

/** What of a plan says who holds what, and who was to have it. */
export type TrackedPlan = Pick<Plan, "verdicts" | "leases" | "lanes" | "nodePlans" | "intents">;

/** The plan before and the one after, with the world of the latter. */
export interface TrackedPlans {
  /** Undefined: this leader has planned nothing yet, and the world has what is stored. */
  readonly before: TrackedPlan | undefined;
  readonly now: TrackedPlan;
  readonly world: MoveWorld;
}

/** The book after one more plan. An address that nobody has for a while moves when one has it. */
export function trackMoves(book: MoveBook, plans: TrackedPlans): MoveBook {
  const { before, now, world } = plans;
  const stored = before === undefined ? storedHolders(world) : book.stored;
  const holders = new Map<Address, AgentName | undefined>();
  const settled = new Map<Address, undefined>();
  const moves = new Map<Address, readonly MoveRecord[] | undefined>();
  const latest: MoveRecord[] = [];
  const open = new Map<Address, number>();
  const cameFor = patchMap(book.cameFor, arrivals(before, now));
  for (const claim of changedKeys(before?.verdicts ?? NO_VERDICTS, now.verdicts)) {
    for (const { address, holder } of now.verdicts.get(claim)?.addresses ?? []) {
      const seen = book.holders.get(address);
      if (holder === undefined || holder === seen || holders.has(address)) continue;
      const from = seen ?? stored.get(address);
      const loser = from === undefined ? undefined : world.agents.get(from);
      if (seen === undefined && from !== holder && hasStill(loser, address)) continue;
      holders.set(address, holder);
      if (stored.has(address)) settled.set(address, undefined);
      if (from === undefined || from === holder) continue;
      const move = { address, from, to: holder, ...inLane(now.leases.get(address)) };
      const isFound = seen === undefined;
      const record = isFound ? foundRecord(world, move) : seenRecord(plans, move, cameFor);
      latest.push(...overtaken(book, address));
      const older = (book.moves.get(address) ?? []).map(closed);
      moves.set(address, [record, ...older].slice(0, MOVES_KEPT));
      if (record.isOpen) open.set(address, openSinceMs(record, world));
      else latest.push(record);
    }
  }
  for (const address of changedKeys(before?.leases ?? world.leases, now.leases)) {
    if (now.leases.has(address)) continue;
    if (stored.has(address)) settled.set(address, undefined);
    if (!book.holders.has(address)) continue;
    latest.push(...overtaken(book, address));
    holders.set(address, undefined);
    moves.set(address, undefined);
  }
  for (const [address, lastWordMs] of book.open) {
    const [record, ...older] = book.moves.get(address) ?? [];
    if (record === undefined || moves.has(address)) continue;
    const account = record.isFound
      ? foundAccountOf(record, world, lastWordMs)
      : accountOf(record, world.agents, lastWordMs);
    if (account.isOpen) {
      open.set(address, lastWordMs);
      continue;
    }
    const known = withAccount(closed(record), account);
    moves.set(address, [known, ...older]);
    latest.push(known);
  }
  if (holders.size + moves.size + settled.size === 0 && stored === book.stored) {
    const isSame = book.latest.length === 0 && cameFor === book.cameFor;
    return isSame ? book : { ...book, latest, cameFor };
  }
  return {
    holders: patchMap(book.holders, holders),
    stored: patchMap(stored, settled),
    moves: patchMap(book.moves, moves),
    latest,
    open,
    cameFor,
  };
}

/** Whether it says that it has the address, as the other one does: that is no move yet. */
function hasStill(agent: AgentView | undefined, address: Address): boolean {
  return agent?.connected === true && agent.heldSinceMs.has(address);
}

/** The move of the address that is open and stays so: nobody will know its gap. */
function overtaken(book: MoveBook, address: Address): readonly MoveRecord[] {
  const [last] = book.open.has(address) ? (book.moves.get(address) ?? []) : [];
  return last === undefined ? [] : [closed(last)];
}

function openSinceMs({ from, isFound }: MoveRecord, { agents, nowMs }: MoveWorld): number {
  return isFound ? nowMs : (agents.get(from)?.heardAtMs ?? nowMs);
}

function seenRecord(
  { before, now, world }: TrackedPlans,
  move: Move,
  cameFor: MoveBook["cameFor"],
): MoveRecord {
  const lane = move.lane === undefined ? undefined : now.lanes.get(move.lane);
  const isThere = lane?.holder === move.to;
  const planned = isThere ? cameFor.get(lane.id) : before && moveFor(before, move);
  const isPlanned = planned !== undefined;
  const record = { ...move, atMs: world.nowMs, isPlanned, why: planned ?? "", heard: "" };
  return withAccount(record, accountOf(move, world.agents));
}

function foundRecord(world: MoveWorld, move: Move): MoveRecord {
  const { nowMs: atMs } = world;
  const planned = storedCause(world, move);
  const isPlanned = planned !== undefined;
  const record = {
    ...move,
    atMs,
    isPlanned,
    why: planned ?? "",
    heard: "",
    isFound: true,
  } as const;
  return withAccount(record, foundAccountOf(move, world, atMs));
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
