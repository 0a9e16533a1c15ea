// What lanes are on this host, by what was seen: keepalived alone decides who holds one, and its
// anchor or any of its addresses in the kernel tells; what nginx's track files say keeps it from
// holding one. Pure.

import type { DeviceName, LaneReport, LaneResource, ResourceName } from "@fairlead/model";
import { laneAnchor } from "@fairlead/render";

import type { Applied } from "./applied.ts";
import type { ByAddress } from "./by-address.ts";
import type { Observation } from "./observe.ts";

/** What a look has to say of lanes. */
export type LaneLook = Pick<
  Observation,
  "kernel" | "keepalivedAlive" | "isNginxDown" | "isNginxUdpDown"
>;

/** What it is told by. */
export interface LaneStateInput {
  readonly applied: Pick<Applied, "lanes" | "held">;
  readonly observed: LaneLook;
}

/** What the kernel has of lanes and their addresses. */
export interface LanesHere {
  readonly addresses: ByAddress;
  /** Lanes of which the kernel has an address. */
  readonly held: ReadonlySet<ResourceName>;
}

/** The states of lanes of the plan, in their order. */
export function laneStates(
  { observed, applied }: LaneStateInput,
  lanes: readonly LaneResource[],
  here: LanesHere,
): readonly LaneReport[] {
  const up = new Set<DeviceName>();
  for (const link of observed.kernel.links) if (link.up) up.add(link.name);
  const isDown = observed.isNginxDown === true;
  const isUdpDown = observed.isNginxUdpDown === true;
  return lanes.map((lane) => {
    if (!observed.keepalivedAlive || !applied.lanes.has(lane.name)) return state(lane, "absent");
    // Whom keepalived speaks to counts, and not whom it shall speak to by a plan it has not taken.
    const { lane: carried, servesUdp } = applied.held.get(lane.name) ?? { lane, servesUdp: false };
    if (!up.has(lane.link)) return state(carried, "fault");
    const isHeld = here.addresses.has(laneAnchor(lane).address) || here.held.has(lane.name);
    if (isHeld) return state(carried, "holder");
    // Where it is alone in the lane, keepalived follows no such file.
    const isKeptAway = carried.order.length > 1 && (isDown || (isUdpDown && servesUdp));
    return state(carried, isKeptAway ? "fault" : "successor");
  });
}

function state({ name, order }: LaneResource, its: LaneReport["state"]): LaneReport {
  return { name, state: its, order };
}
