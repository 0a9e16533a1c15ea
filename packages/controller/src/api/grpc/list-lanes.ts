// Lanes as rows: who holds each, who is to hold it, and how its addresses came there. Pure: given
// what the loop knows at one moment; what is not reported is left empty.

import { type Address, type Lane, type LaneId, type LaneResource, laneName } from "@fairlead/model";
import { isFrozen, reportedHolders } from "@fairlead/planner";
import type { ListLanesResponseSchema, MessageInitShape } from "@fairlead/wire";

import type { CycleView } from "../../cycle-view.ts";
import type { MoveRecord } from "../../move-book.ts";
import { notKnownHere } from "./standby-words.ts";

type LanesInit = MessageInitShape<typeof ListLanesResponseSchema>;
type LaneInit = NonNullable<LanesInit["lanes"]>[number];

/**
 * Answers ListLanes. Throws a NotReadyError before the first plan: that there are no lanes would
 * be taken for the end of every move.
 */
export function listLanes(view: CycleView): LanesInit {
  const { plan, state } = view;
  if (plan === undefined) throw notKnownHere("lanes", view);
  const holders = reportedHolders(state);
  const byLane = new Map<LaneId, Address[]>();
  for (const { address, placement } of plan.leases.values()) {
    if (placement.kind !== "lane") continue;
    const known = byLane.get(placement.lane);
    if (known === undefined) byLane.set(placement.lane, [address]);
    else known.push(address);
  }
  const frozen = frozenSince(view);
  return {
    lanes: Array.from(plan.lanes.values(), (lane): LaneInit => {
      const reported = holders.get(laneName(lane.id)) ?? [];
      const holder = reported.find((agent) => agent === lane.holder) ?? reported[0] ?? "";
      const addresses = byLane.get(lane.id) ?? [];
      const move = worstMove(view, addresses, holder);
      return {
        id: lane.id,
        holder,
        order: [...lane.order],
        movingTo: movingTo(view, lane),
        addresses: addresses.length,
        ...(move === undefined ? {} : { lastMove: moveRow(move) }),
      };
    }),
    rebalancing: plan.intents.some(({ kind }) => kind === "rebalance"),
    ...(frozen === undefined ? {} : { frozenSinceMs: frozen }),
  };
}

/** Since when all is frozen, epoch ms; undefined: it is not. */
export function frozenSince({ plan }: CycleView): bigint | undefined {
  if (plan === undefined || !isFrozen(plan)) return undefined;
  const freeze = plan.intents.find(({ kind }) => kind === "freeze");
  return freeze === undefined ? undefined : BigInt(Math.trunc(freeze.sinceMs));
}

/** Who takes the lane by a move that goes on; empty: nobody. */
function movingTo({ plan }: CycleView, { id, order }: Lane): string {
  for (const agent of order) {
    const resource = plan?.nodePlans.get(agent)?.resources.get(laneName(id));
    if (resource?.kind === "lane" && isMoving(resource)) return agent;
  }
  return "";
}

/** The first in order is whoever shall hold it. */
function isMoving({ preempt, intentId }: LaneResource): boolean {
  return preempt && intentId !== undefined;
}

/** Of the last moves of the addresses to their holder, the one that took longest or still may. */
function worstMove(
  { moves }: CycleView,
  addresses: readonly Address[],
  holder: string,
): MoveRecord | undefined {
  let worst: MoveRecord | undefined;
  for (const address of addresses) {
    const last = moves.get(address)?.[0];
    if (last?.to !== holder) continue;
    if (worst === undefined || gapOf(last) > gapOf(worst)) worst = last;
  }
  return worst;
}

function gapOf({ gapMs, isOpen }: MoveRecord): number {
  return isOpen ? Infinity : (gapMs ?? -1);
}

function moveRow(move: MoveRecord): NonNullable<LaneInit["lastMove"]> {
  const { address, from, to, atMs, isPlanned, why, gapMs, isGapAtMost = false } = move;
  const { isOpen = false } = move;
  return {
    address,
    from,
    to,
    atMs: BigInt(Math.trunc(atMs)),
    planned: isPlanned,
    why,
    ...(gapMs === undefined ? {} : { gapMs: BigInt(gapMs) }),
    gapIsAtMost: isGapAtMost,
    gapIsOpen: isOpen,
  };
}
