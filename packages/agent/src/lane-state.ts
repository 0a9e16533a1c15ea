// What a lane is on this host, by what was seen: keepalived alone decides who holds one, and its
// anchor or any of its addresses in the kernel tells. Pure.

import type { LaneReport, LaneResource } from "@fairlead/model";
import { laneAnchor } from "@fairlead/render";

import type { Applied } from "./applied.ts";
import type { Observation } from "./observe.ts";
import type { AcceptedPlan } from "./ports.ts";

/** What it is told by. */
export interface LaneStateInput {
  readonly wanted: AcceptedPlan | undefined;
  readonly applied: Pick<Applied, "lanes">;
  readonly observed: Pick<Observation, "kernel" | "keepalivedAlive">;
}

/** The state of a lane of the plan. */
export function laneState(input: LaneStateInput, lane: LaneResource): LaneReport["state"] {
  const { observed, applied } = input;
  if (!observed.keepalivedAlive || !applied.lanes.has(lane.name)) return "absent";
  if (observed.kernel.links.find((link) => link.name === lane.link)?.up !== true) return "fault";
  const here = new Set(observed.kernel.addresses.map(({ address }) => address));
  if (here.has(laneAnchor(lane).address)) return "holder";
  const isHeld = [...(input.wanted?.plan.resources.values() ?? [])].some(
    (resource) =>
      resource.kind === "vip" &&
      resource.carrier.kind === "lane" &&
      resource.carrier.resource === lane.name &&
      here.has(resource.address),
  );
  return isHeld ? "holder" : "successor";
}
