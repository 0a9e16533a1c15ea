// Since when an agent says what it notices of others: of addresses that they hold, and of adverts
// that it misses. A part of the fold of facts. What is the same stays the same object, so that
// planning sees that nothing is new.

import { isDeepStrictEqual } from "node:util";

import {
  type Address,
  type AgentReport,
  type AgentView,
  type Evidence,
  type ResourceName,
  type ResourceReport,
  addressOfResource,
  changedKeys,
} from "@fairlead/model";

/** What is added to an agent's view by a report. */
export type Sights = Pick<AgentView, "seenSinceMs" | "unheardSinceMs">;

/** The times after a report that came at `atMs`. */
export function sightsAfter(known: AgentView, report: AgentReport, atMs: number): Sights {
  const seenSinceMs = seenSince(known, report, atMs);
  const unheardSinceMs = unheardSince(known, report, atMs);
  return {
    ...(seenSinceMs.size === 0 ? {} : { seenSinceMs }),
    ...(unheardSinceMs.size === 0 ? {} : { unheardSinceMs }),
  };
}

/** Whether one of these agents misses the adverts of another one that was not heard since. */
export function isMissed(agents: Iterable<AgentView>, known: AgentView): boolean {
  for (const other of agents) {
    if (other.name === known.name || !other.connected) continue;
    for (const sinceMs of other.unheardSinceMs?.values() ?? []) {
      if (sinceMs > known.heardAtMs) return true;
    }
  }
  return false;
}

const NO_RESOURCES: AgentReport["resources"] = new Map();
const NOTHING_SEEN: ReadonlyMap<Address, number> = new Map();

function seenSince(
  known: AgentView,
  report: AgentReport,
  atMs: number,
): ReadonlyMap<Address, number> {
  const before = known.report?.resources ?? NO_RESOURCES;
  const seen = new Map(known.seenSinceMs);
  let isSame = true;
  for (const name of changedKeys(before, report.resources)) {
    const address = addressOfResource(name);
    if (address === undefined || !name.startsWith("vip/")) continue;
    const sight = sightIn(report.resources.get(name));
    if (isDeepStrictEqual(sight, sightIn(before.get(name)))) continue;
    isSame = false;
    if (sight === undefined) seen.delete(address);
    else seen.set(address, atMs);
  }
  return isSame ? (known.seenSinceMs ?? NOTHING_SEEN) : seen;
}

function sightIn(report: ResourceReport | undefined): Evidence | undefined {
  return report?.evidence.find(({ kind }) => kind === "neighbour");
}

function unheardSince(
  known: AgentView,
  { hearing }: AgentReport,
  atMs: number,
): ReadonlyMap<ResourceName, number> {
  const unheard = new Map<ResourceName, number>();
  for (const { lane, state } of hearing ?? []) {
    if (state === "unheard") unheard.set(lane, known.unheardSinceMs?.get(lane) ?? atMs);
  }
  return unheard;
}
