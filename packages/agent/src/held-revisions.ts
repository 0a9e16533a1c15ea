// Which revisions keepalived carries: of what is held as it is wanted the wanted one, and of what
// was refused the one that it was held at. Pure.

import type { Address, ResourceName, Revision } from "@fairlead/model";

import type { Applied, HeldLane } from "./applied.ts";
import type { WantedLanes } from "./hold-lanes.ts";

/** What revisions are told from. */
export interface HeldRevisionsInput {
  readonly held: ReadonlyMap<ResourceName, HeldLane>;
  readonly wanted: Pick<WantedLanes, "lanes" | "vips">;
  /** Of what is wanted. */
  readonly revisions: ReadonlyMap<ResourceName, Revision>;
  readonly before: Pick<Applied, "lanes" | "vips">;
}

/** The revisions of the lanes and VIPs that are held. */
export function heldRevisions(input: HeldRevisionsInput): Pick<Applied, "lanes" | "vips"> {
  const { held, wanted, revisions, before } = input;
  const wantedNow = new Set<unknown>([...wanted.lanes, ...wanted.vips]);
  const lanes = new Map<ResourceName, Revision>();
  const vips = new Map<Address, Revision>();
  for (const { lane, vips: inLane } of held.values()) {
    const ofLane = wantedNow.has(lane) ? revisions.get(lane.name) : before.lanes.get(lane.name);
    if (ofLane !== undefined) lanes.set(lane.name, ofLane);
    for (const vip of inLane) {
      const ofVip = wantedNow.has(vip) ? revisions.get(vip.name) : before.vips.get(vip.address);
      if (ofVip !== undefined) vips.set(vip.address, ofVip);
    }
  }
  return { lanes, vips };
}
