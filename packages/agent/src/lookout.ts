// What this host notices of the others on its segments: who answers for the addresses that they
// hold, and whether it hears their adverts. Given the ports of seeing and hearing; driven by the
// loop's looks, and never in their way.

import type { Address, LaneHearing } from "@fairlead/model";
import type { Clock } from "@fairlead/runtime";

import { createLaneHearings } from "./lane-hearing.ts";
import type { SegmentSight, Sighted, VrrpListener } from "./ports.ts";
import { createSightings, type LookedAt } from "./sightings.ts";

/** What it is made of. */
export interface LookoutOptions {
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly vrrp: Pick<VrrpListener, "adverts" | "isAble">;
  /** Absent: answers say nothing on this network, and nobody is asked. */
  readonly sight?: SegmentSight;
}

/** What was noticed. */
export interface Outlook {
  /** By address that another one holds. */
  readonly seen: ReadonlyMap<Address, Sighted>;
  readonly hearing: readonly LaneHearing[];
}

/** Looks at others as often as the loop looks at its host. */
export interface Lookout {
  look(input: LookedAt): Outlook;
}

/** Makes it. */
export function createLookout({ clock, random, vrrp, sight }: LookoutOptions): Lookout {
  const hearings = createLaneHearings({ clock, vrrp, ...(sight === undefined ? {} : { sight }) });
  if (sight === undefined) {
    const seen = new Map<Address, Sighted>();
    return { look: (input) => ({ seen, hearing: hearings.look(input) }) };
  }
  const sightings = createSightings({ clock, random, sight });
  return { look: (input) => ({ seen: sightings.look(input), hearing: hearings.look(input) }) };
}
