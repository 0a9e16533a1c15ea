// How long links were out. While a host hears nobody for long, a controller may give a lane that it
// had alone to others as well: back in the network it would hold that lane beside them, as nobody
// told it whom to listen to. Given the links of each look, and times in monotonic ms. Pure.

import type { DeviceName, Link } from "@fairlead/model";

import { OLD_PLAN_MS } from "./converge-times.ts";

/** A controller takes an agent for gone after two heartbeats of 3 s at the soonest, in ms. */
export const LONG_OUTAGE_MS = 5000;

/** The links that were seen, look by look. */
export interface LinkOutages {
  look(links: readonly Pick<Link, "name" | "up">[], nowMs: number): void;
  /**
   * How long a plan of before rests on this link, in ms: until a newer one had time to come after a
   * long outage, without end while that lasts; 0: it does not rest.
   */
  restMs(link: DeviceName, nowMs: number): number;
  /** Whether a link is out. */
  readonly isAnyOut: boolean;
}

/** Makes it; links are taken to have been as the first look finds them for as long as it likes. */
export function createLinkOutages(): LinkOutages {
  /** Since when links are out. */
  const out = new Map<DeviceName, number>();
  /** Until when plans of before rest on links that came back. */
  const rests = new Map<DeviceName, number>();
  return {
    look: (links, nowMs) => {
      for (const { name, up } of links) {
        const sinceMs = out.get(name);
        if (!up) {
          if (sinceMs === undefined) out.set(name, nowMs);
          continue;
        }
        out.delete(name);
        const wasLong = sinceMs !== undefined && nowMs - sinceMs >= LONG_OUTAGE_MS;
        if (wasLong) rests.set(name, nowMs + OLD_PLAN_MS);
        else if ((rests.get(name) ?? 0) <= nowMs) rests.delete(name);
      }
    },
    restMs: (link, nowMs) => {
      const sinceMs = out.get(link);
      if (sinceMs !== undefined && nowMs - sinceMs >= LONG_OUTAGE_MS) return Infinity;
      return Math.max(0, (rests.get(link) ?? 0) - nowMs);
    },
    get isAnyOut() {
      return out.size > 0;
    },
  };
}
