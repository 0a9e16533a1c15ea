// Which intents go on: a move is over when it is reported done or was asked for in vain, and a
// rebalance makes its next move when the one before is over. Pure. Given the world before anything
// else is planned, so that the same planning already acts on what comes out.

import {
  type AgentName,
  type Intent,
  type Lane,
  type LaneId,
  type World,
  compareText,
  laneName,
} from "@fairlead/model";

import { type LaneHolders, holderOf, reportedHolders, standsBy } from "./lane-holders.ts";
import { rankLane } from "./rank.ts";
import { type MoveIntent, type Will, willOf } from "./will.ts";

/**
 * A move that was not made within this time is given up, in ms: nobody shall be surprised by what
 * was asked for long ago.
 */
export const MOVE_MS_MAX = 300_000;

/** What intents are settled by. */
export interface SettleOptions {
  readonly world: World;
  readonly forgotten: ReadonlySet<AgentName>;
  /** VIPs that ride in the lane. */
  readonly loadOf: (lane: LaneId) => number;
}

/** The world with the intents that go on, by id; the same world when all do. */
export function settleIntents(options: SettleOptions): World {
  const { world } = options;
  if (world.intents.length === 0) return world;
  const intents = byId(settled(options));
  return intents === world.intents ? world : { ...world, intents };
}

function byId(intents: readonly Intent[]): readonly Intent[] {
  const isSorted = intents.every(({ id }, i) => id > (intents[i - 1]?.id ?? ""));
  return isSorted ? intents : intents.toSorted((a, b) => compareText(a.id, b.id));
}

/** The intents after a planning that left these lanes; the same list when all go on. */
export function intentsOf(
  intents: readonly Intent[],
  lanes: ReadonlyMap<LaneId, Lane>,
): readonly Intent[] {
  const isOf = (intent: Intent): boolean => intent.kind !== "move" || lanes.has(intent.lane);
  return intents.every(isOf) ? intents : intents.filter(isOf);
}

function settled(options: SettleOptions): readonly Intent[] {
  const { world } = options;
  const holders = reportedHolders(world);
  const will = willOf(world);
  let isInVain = false;
  const going = world.intents.filter((intent) => {
    if (intent.kind !== "move") return true;
    const end = endOf(intent, options, { holders, will });
    isInVain ||= end === "in vain";
    return end === undefined;
  });
  const rebalance = going.find(({ kind }) => kind === "rebalance");
  const isBusy = will.isFrozen || going.some(({ kind }) => kind === "move");
  if (rebalance === undefined || isBusy || isDraining(options, { holders, will })) {
    return going.length === world.intents.length ? world.intents : going;
  }
  // What could not be done once is not tried again and again.
  const next = isInVain ? undefined : evenOut(options, { holders, will });
  return next === undefined ? going.filter((one) => one !== rebalance) : [...going, next];
}

interface Known {
  readonly holders: LaneHolders;
  readonly will: Will;
}

/** How a move has ended: done, without sense by now, or never made; undefined: it goes on. */
function endOf(
  intent: MoveIntent,
  { world, forgotten }: SettleOptions,
  { holders, will }: Known,
): "done" | "gone" | "in vain" | undefined {
  const { to, sinceMs } = intent;
  const lane = world.lanes.get(intent.lane);
  if (lane === undefined || will.moves.get(intent.lane) !== intent) return "gone";
  if (holderOf(lane, holders) === to) return "done";
  if (!lane.order.includes(to) || forgotten.has(to) || will.drains.has(to)) return "gone";
  return world.nowMs - sinceMs >= MOVE_MS_MAX ? "in vain" : undefined;
}

/** Whether a lane is on its way off a drained agent: what agents hold is not what they will. */
function isDraining({ world }: SettleOptions, { holders, will }: Known): boolean {
  for (const lane of will.drains.size === 0 ? [] : world.lanes.values()) {
    const holder = holderOf(lane, holders);
    if (holder === undefined || !will.drains.has(holder)) continue;
    // One that is out of reach cannot be told to give it up, and may stay so for ever.
    const isHeld = holders.has(laneName(lane.id));
    if (rankLane({ world, will, lane, holder, isHeld }).move !== undefined) return true;
  }
  return false;
}

/** A move that makes a segment's load more even. */
export interface EvenMove {
  readonly lane: Lane;
  readonly from: AgentName;
  readonly to: AgentName;
}

/** The next move of a rebalance as an intent; undefined: none would help. */
function evenOut({ world, loadOf }: SettleOptions, known: Known): MoveIntent | undefined {
  const [best] = evenMoves({ world, loadOf, ...known, count: 1 });
  if (best === undefined) return undefined;
  const { nowMs } = world;
  const id = `rebalance-${best.lane.id}-${nowMs}`;
  return { id, sinceMs: nowMs, kind: "move", lane: best.lane.id, to: best.to };
}

/**
 * The moves that a rebalance would make one after the other, at most `count`. Each is the one that
 * evens out most: by VIPs held, in each segment, among the agents that stand by for the lane.
 */
export function evenMoves(options: {
  readonly world: World;
  readonly loadOf: (lane: LaneId) => number;
  readonly holders: LaneHolders;
  readonly will: Will;
  readonly count: number;
}): readonly EvenMove[] {
  const { world, holders, will, count, loadOf } = options;
  const held = new Map<LaneId, AgentName>();
  const loads = new Map<string, number>();
  for (const lane of world.lanes.values()) {
    const holder = holderOf(lane, holders);
    if (holder === undefined) continue;
    const key = loadKey(lane, holder);
    loads.set(key, (loads.get(key) ?? 0) + loadOf(lane.id));
    if (world.agents.get(holder)?.connected === true) held.set(lane.id, holder);
  }
  const moves: EvenMove[] = [];
  const lanes = [...world.lanes.values()].sort((a, b) => compareText(a.id, b.id));
  const mayGoTo = (lane: Lane, agent: AgentName): boolean =>
    !will.drains.has(agent) &&
    (standsBy(world, lane, agent) || moves.some((one) => one.lane === lane && one.from === agent));
  while (moves.length < count) {
    let best: EvenMove | undefined;
    let bestGain = 0;
    for (const lane of lanes) {
      const from = held.get(lane.id);
      if (from === undefined) continue;
      const load = loadOf(lane.id);
      const fromLoad = loads.get(loadKey(lane, from)) ?? 0;
      for (const to of lane.order) {
        const gain = load * (fromLoad - (loads.get(loadKey(lane, to)) ?? 0) - load);
        if (to === from || gain <= bestGain || !mayGoTo(lane, to)) continue;
        [best, bestGain] = [{ lane, from, to }, gain];
      }
    }
    if (best === undefined) break;
    const { lane, from, to } = best;
    const load = loadOf(lane.id);
    loads.set(loadKey(lane, from), (loads.get(loadKey(lane, from)) ?? 0) - load);
    loads.set(loadKey(lane, to), (loads.get(loadKey(lane, to)) ?? 0) + load);
    held.set(lane.id, to);
    moves.push(best);
  }
  return moves;
}

function loadKey({ segment }: Lane, agent: AgentName): string {
  return `${segment} ${agent}`;
}
