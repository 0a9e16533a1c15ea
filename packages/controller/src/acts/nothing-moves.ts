// Why a rebalance moves nothing, in words. Given the world; where agents do not hold alike, an
// operator wants to know what keeps it so. Pure, and decides nothing itself.

import {
  type AgentName,
  type Lane,
  type LaneId,
  type Segment,
  type World,
  compareText,
} from "@fairlead/model";
import { holderOf, isDrained, reportedHolders, standsBy } from "@fairlead/planner";

/** What is said where no move helps: a sentence for each uneven segment, or that there is none. */
export function whyNothingMoves(world: World, loadOf: (lane: LaneId) => number): readonly string[] {
  const uneven = [...lanesBySegment(world)].flatMap(
    ([segment, lanes]) => unevenText({ world, segment, lanes, loadOf }) ?? [],
  );
  if (uneven.length === 0) return ["agents hold alike; nothing moves"];
  return [...uneven, "nothing moves; new addresses go to agents that hold fewer"];
}

/** One segment's share of the world. */
interface Share {
  readonly world: World;
  readonly segment: Segment;
  readonly lanes: readonly Lane[];
  readonly loadOf: (lane: LaneId) => number;
}

function lanesBySegment({ lanes }: World): ReadonlyMap<Segment, readonly Lane[]> {
  return Map.groupBy(
    [...lanes.values()].sort((a, b) => compareText(a.id, b.id)),
    ({ segment }) => segment,
  );
}

/** Undefined: the segment's agents hold alike, but for one address. */
function unevenText(share: Share): string | undefined {
  const { world, segment, lanes } = share;
  const loads = loadsOf(share);
  const ranked = [...loads].sort(([a, x], [b, y]) => y - x || compareText(a, b));
  const [first] = ranked;
  const last = ranked.at(-1);
  if (first === undefined || last === undefined || first[1] - last[1] < 2) return undefined;
  const [heaviest] = first;
  const holders = reportedHolders(world);
  const held = lanes.filter((lane) => holderOf(lane, holders) === heaviest);
  const canGo = held.some((lane) =>
    lane.order.some((agent) => loads.has(agent) && standsBy(world, lane, agent)),
  );
  const counts = ranked.map(([agent, load]) => `${agent} ${load}`).join(", ");
  const where = held.length === 1 ? `lane ${held[0]?.id ?? ""}` : `${held.length} lanes`;
  const why = canGo
    ? "a lane moves whole, so no move would make it more even"
    : "nobody who holds fewer stands by for them";
  return `addresses held in ${segment}: ${counts}; ${heaviest}'s ride in ${where}, and ${why}`;
}

/** Addresses that agents hold which could hold more: in reach, and not drained. */
function loadsOf({ world, lanes, loadOf }: Share): ReadonlyMap<AgentName, number> {
  const holders = reportedHolders(world);
  const loads = new Map<AgentName, number>();
  for (const agent of lanes.flatMap(({ order }) => order)) {
    const isInReach = world.agents.get(agent)?.connected === true;
    if (isInReach && !isDrained(world, agent)) loads.set(agent, 0);
  }
  for (const lane of lanes) {
    const holder = holderOf(lane, holders);
    const known = holder === undefined ? undefined : loads.get(holder);
    if (holder !== undefined && known !== undefined) loads.set(holder, known + loadOf(lane.id));
  }
  return loads;
}
