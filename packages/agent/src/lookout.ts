// What this host notices of the others on its segments: who answers for the addresses that they
// hold, whether it hears their adverts, which of its own addresses they took over, and how long
// they were silent before it took over theirs. Given the ports of seeing and hearing; driven by the
// loop's looks, and never in their way.

import type { Address, LaneHearing } from "@fairlead/model";
import type { Clock, Logger } from "@fairlead/runtime";

import { createDepartures } from "./departures.ts";
import { createLaneHearings } from "./lane-hearing.ts";
import type { ClientConnections, SegmentSight, Sighted, VrrpListener } from "./ports.ts";
import { createSightings, type LookedAt } from "./sightings.ts";
import { createTakeoverSilences, type Silences } from "./takeover-silence.ts";

/** What it is made of. */
export interface LookoutOptions {
  readonly clock: Clock;
  readonly log: Logger;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly vrrp: Pick<VrrpListener, "adverts" | "isAble">;
  /** Absent: answers say nothing on this network, and nobody is asked. */
  readonly sight?: SegmentSight;
  /** Absent: connections to an address that left stay. */
  readonly connections?: Pick<ClientConnections, "end">;
}

/** What was noticed. */
export interface Outlook {
  /** By address that another one holds. */
  readonly seen: ReadonlyMap<Address, Sighted>;
  readonly hearing: readonly LaneHearing[];
  /** Of lanes that this host took over. */
  readonly silences: Silences;
}

/** Looks at others as often as the loop looks at its host. */
export interface Lookout {
  look(input: LookedAt): Outlook;
}

/** Makes it. */
export function createLookout(options: LookoutOptions): Lookout {
  const { clock, log, random, vrrp, sight, connections } = options;
  const hearings = createLaneHearings({ clock, vrrp, ...(sight === undefined ? {} : { sight }) });
  const silences = createTakeoverSilences({ clock, vrrp });
  const sightings = sight === undefined ? undefined : createSightings({ clock, random, sight });
  const departures =
    connections === undefined ? undefined : createDepartures({ clock, log, vrrp, connections });
  return {
    look: (input) => {
      departures?.look(input);
      return {
        seen: sightings?.look(input) ?? NOBODY,
        hearing: hearings.look(input),
        silences: silences.look(input),
      };
    },
  };
}

const NOBODY: Outlook["seen"] = new Map();
