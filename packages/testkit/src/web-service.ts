// The one Service that most stories of an agent's loop are about, as its plan has it: a lane of
// three agents, a VIP in it, and port 80 with two members.

import type { LaneResource, Resource } from "@fairlead/model";

import { laneOf, listenerOf, vipOf } from "./node-plan-builders.ts";

const ORDER = ["a=192.0.2.11", "b=192.0.2.12", "c=192.0.2.13"];

/** A lane that nobody is known to hold: its first agent takes it. */
export const NEW_LANE: LaneResource = laneOf({ routerId: 51, order: ORDER });

/** The same lane once somebody holds it, and keeps it. */
export const SETTLED_LANE: LaneResource = laneOf({ routerId: 51, order: ORDER, preempt: false });

/** Its members. */
export const WEB_MEMBERS: readonly string[] = ["192.0.2.21:8080", "192.0.2.22:8080"];

/** The resources of the Service, which are all of an agent's plan. */
export function webService(
  lane: LaneResource = NEW_LANE,
  vip = "192.0.2.100",
): readonly Resource[] {
  return [lane, vipOf(vip, lane), ...listenerOf(`${vip}:80/tcp`, WEB_MEMBERS)];
}
