// Watches every publication of a day: an address that comes to stand there for a claim was proved,
// so that a kernel has it, or had it as long ago as a proof counts. Given the ring; it changes
// nothing.

import type { HolderEvent } from "@fairlead/lab";
import { claimTitle } from "@fairlead/model";

import type { Ring } from "../scenario/ring.ts";

/**
 * An agent's proof counts for this long after its last word: a controller that has not noticed yet
 * that its host died goes by it. The `staleAfterMs` of the ring.
 */
const PROOF_MS_MAX = 60_000;

/** What is watched. */
export interface PublicationWatch {
  /** What went wrong, in the order of time. */
  readonly faults: readonly string[];
}

/** Looks at each publication from now on. */
export function watchPublications(ring: Ring): PublicationWatch {
  const faults: string[] = [];
  let before: ReadonlySet<string> = new Set();
  ring.controller.onPublished = ({ verdicts }) => {
    const now = new Set<string>();
    const atMs = ring.clock.nowMs();
    for (const { claim, uid, addresses } of verdicts.values()) {
      for (const { address } of addresses.filter(({ published }) => published)) {
        const key = `${uid} ${address}`;
        now.add(key);
        if (before.has(key)) continue;
        const lastMs = lastHeldMs(ring.history, address, atMs);
        if (lastMs !== undefined && atMs - lastMs <= PROOF_MS_MAX) continue;
        const since = lastMs === undefined ? "ever" : `for ${atMs - lastMs} ms`;
        const what = `${address} was published for ${claimTitle(claim)}`;
        faults.push(`at ${atMs} ms: ${what}, and no host had it ${since}`);
      }
    }
    before = now;
  };
  return { faults };
}

/** When a host last had the address; undefined: none ever had. */
function lastHeldMs(
  history: readonly HolderEvent[],
  address: string,
  nowMs: number,
): number | undefined {
  const holders = new Set<string>();
  let lastMs: number | undefined;
  for (const one of history) {
    if (one.address !== address) continue;
    if (one.event === "added") holders.add(one.host);
    else holders.delete(one.host);
    lastMs = one.atMs;
  }
  return holders.size > 0 ? nowMs : lastMs;
}
