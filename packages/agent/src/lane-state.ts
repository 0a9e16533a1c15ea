// What lanes are on this host, by what was seen: keepalived alone decides who holds one, and its
// anchor or any of its addresses in the kernel tells; what nginx's track files say keeps it from
// holding one. Pure.

import {
  type Address,
  type DeviceName,
  type LaneReport,
  type LaneResource,
  type ResourceName,
  vipName,
} from "@fairlead/model";
import { laneAnchor } from "@fairlead/render";

import type { Applied } from "./applied.ts";
import type { ByAddress } from "./by-address.ts";
import type { Observation } from "./observe.ts";
import type { AcceptedPlan } from "./ports.ts";

/** What a look has to say of lanes. */
export type LaneLook = Pick<
  Observation,
  "kernel" | "keepalivedAlive" | "isNginxDown" | "isNginxUdpDown"
>;

/** What it is told by. */
export interface LaneStateInput {
  readonly applied: Pick<Applied, "lanes" | "held">;
  readonly observed: LaneLook;
  readonly wanted: AcceptedPlan | undefined;
}

/** What the kernel has of lanes and their addresses. */
export interface LanesHere {
  readonly addresses: ByAddress;
  /** Lanes of which the kernel has an address. */
  readonly held: ReadonlySet<ResourceName>;
}

/** The states of lanes of the plan, in their order. */
export function laneStates(
  { observed, applied, wanted }: LaneStateInput,
  lanes: readonly LaneResource[],
  here: LanesHere,
): readonly LaneReport[] {
  const up = new Set<DeviceName>();
  for (const link of observed.kernel.links) if (link.up) up.add(link.name);
  const isDown = observed.isNginxDown === true;
  const udpLanes = observed.isNginxUdpDown === true ? udpLanesOf(wanted) : NO_LANES;
  return lanes.map((lane) => {
    if (!observed.keepalivedAlive || !applied.lanes.has(lane.name)) return state(lane, "absent");
    // Whom keepalived speaks to counts, and not whom it shall speak to by a plan it has not taken.
    const carried = applied.held.get(lane.name)?.lane ?? lane;
    if (!up.has(lane.link)) return state(carried, "fault");
    const isHeld = here.addresses.has(laneAnchor(lane).address) || here.held.has(lane.name);
    if (isHeld) return state(carried, "holder");
    // Where it is alone in the lane, keepalived follows no such file.
    const isKeptAway = carried.order.length > 1 && (isDown || udpLanes.has(lane.name));
    return state(carried, isKeptAway ? "fault" : "successor");
  });
}

function state({ name, order }: LaneResource, its: LaneReport["state"]): LaneReport {
  return { name, state: its, order };
}

const NO_LANES: ReadonlySet<ResourceName> = new Set();

/** Lanes with a VIP that has a listener over UDP: they follow the nginx for UDP too. */
function udpLanesOf(wanted: AcceptedPlan | undefined): ReadonlySet<ResourceName> {
  const resources = wanted?.plan.resources;
  const addresses = new Set<Address>();
  resources?.forEach((one) => {
    if (one.kind === "listener" && one.protocol === "udp") addresses.add(one.address);
  });
  const lanes = new Set<ResourceName>();
  for (const address of addresses) {
    const vip = resources?.get(vipName(address));
    if (vip?.kind === "vip" && vip.carrier.kind === "lane") lanes.add(vip.carrier.resource);
  }
  return lanes;
}
