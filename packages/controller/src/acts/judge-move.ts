// Whether a lane may be moved, and which moves would even lanes out. Pure. A refusal names who
// could hold the lane, or what has to be ended first.

import {
  type Address,
  type AgentName,
  type Intent,
  type Lane,
  type LaneId,
  type LeasedAddress,
  type World,
  LANES_MAX,
} from "@fairlead/model";
import {
  evenMoves,
  holderOf,
  isDrained,
  isFrozen,
  reportedHolders,
  standsBy,
  willOf,
} from "@fairlead/planner";

import type { AllowedAct, DeniedAct, PlannedMove } from "./act.ts";
import { unknownAgent } from "./judge-drain.ts";
import { addressesByLane, moveText, WHAT_ENDS } from "./lane-text.ts";
import { whyNothingMoves } from "./nothing-moves.ts";

/** Judges the move of the lane of an address. */
export function judgeMove(world: World, address: Address, to: AgentName): AllowedAct | DeniedAct {
  const row = world.leases.get(address);
  if (row === undefined) {
    const why = `no lease is of ${address}: it is free, or lies in no pool`;
    return { kind: "not-found", why: [why], remedy: "Look at fairlead lease list." };
  }
  if (!world.agents.has(to)) return unknownAgent(to);
  const lane = laneOf(world, row);
  if (lane === undefined) return noLane(row);
  const from = holderOf(lane, reportedHolders(world));
  const denied = whyNotTo(world, lane, { from, to });
  if (denied !== undefined) return denied;
  const ends = world.intents.flatMap((one) =>
    one.kind === "move" && one.lane === lane.id ? [one.id] : [],
  );
  if (from === undefined || from === to) {
    return { ...NOTHING, will: [`${to} holds ${address} already`], did: [], ends };
  }
  const addresses = addressesByLane(world).get(lane.id) ?? [];
  const move: PlannedMove = { lane: lane.id, from, to, addresses };
  const { nowMs: sinceMs } = world;
  const intent: Intent = {
    id: `move-${lane.id}-${sinceMs}`,
    sinceMs,
    kind: "move",
    lane: lane.id,
    to,
  };
  return {
    ...NOTHING,
    will: [moveText(move), WHAT_ENDS],
    did: [`lane ${lane.id} is on its way to ${to}`],
    intents: [intent],
    ends,
    moves: [move],
  };
}

/** Judges a rebalance. */
export function judgeRebalance(world: World): AllowedAct | DeniedAct {
  if (isFrozen(world)) return frozen();
  const byLane = addressesByLane(world);
  const loadOf = (lane: LaneId): number => byLane.get(lane)?.length ?? 0;
  const moves = evenMoves({
    world,
    loadOf,
    holders: reportedHolders(world),
    will: willOf(world),
    count: LANES_MAX,
  }).map(({ lane, from, to }): PlannedMove => {
    return { lane: lane.id, from, to, addresses: byLane.get(lane.id) ?? [] };
  });
  const known = world.intents.find(({ kind }) => kind === "rebalance");
  if (moves.length === 0 && known === undefined) {
    return { ...NOTHING, will: whyNothingMoves(world, loadOf), did: [] };
  }
  const intent: Intent = { id: "rebalance", sinceMs: world.nowMs, kind: "rebalance" };
  return {
    ...NOTHING,
    will: [...moves.map(moveText), "one lane at a time, each when the one before holds", WHAT_ENDS],
    did: [`${moves.length} ${moves.length === 1 ? "lane is" : "lanes are"} to move`],
    intents: known === undefined ? [intent] : [],
    moves,
  };
}

const NOTHING = { kind: "allowed", intents: [], leases: [], owners: [] } as const;

function laneOf({ lanes }: World, { placement }: LeasedAddress): Lane | undefined {
  return placement.kind === "lane" ? lanes.get(placement.lane) : undefined;
}

function noLane({ address, placement, pool }: LeasedAddress): DeniedAct {
  const why =
    placement.kind === "host"
      ? `${address} is ${placement.agent}'s own: addresses of pool ${pool} ride in no lane`
      : `${address} rides in no lane yet`;
  return { kind: "refused", why: [why], remedy: `Look at fairlead explain ${address}.` };
}

function whyNotTo(
  world: World,
  lane: Lane,
  { from, to }: { readonly from: AgentName | undefined; readonly to: AgentName },
): DeniedAct | undefined {
  if (isFrozen(world)) return frozen();
  const able = lane.order.filter((agent) => agent !== from && standsBy(world, lane, agent));
  const names = able.length === 0 ? "no other agent" : able.join(" or ");
  const remedy = `Name an agent that stands by for the lane: ${names}.`;
  if (!lane.order.includes(to)) {
    const why = `${to} is not in lane ${lane.id}, which ${lane.order.join(", ")} are`;
    return { kind: "refused", why: [why], remedy };
  }
  if (from === undefined) {
    const why = `nobody is known to hold lane ${lane.id}`;
    return { kind: "refused", why: [why], remedy: "Look at fairlead status." };
  }
  if (from === to) return undefined;
  if (isDrained(world, to)) {
    return { kind: "refused", why: [`${to} is drained`], remedy: `fairlead uncordon ${to} first.` };
  }
  if (standsBy(world, lane, to)) return undefined;
  const isThere = world.agents.get(to)?.connected === true;
  const why = isThere ? `${to} does not stand by for lane ${lane.id} yet` : `${to} is out of reach`;
  const more = `fairlead explain ${to} says why it does not.`;
  return { kind: "refused", why: [why], remedy: isThere ? `${remedy} ${more}` : remedy };
}

function frozen(): DeniedAct {
  return { kind: "refused", why: ["all is frozen"], remedy: "fairlead thaw first." };
}
