// Since when an agent says what it notices of others: of addresses that they hold, of adverts that
// it misses, and since when it has had the time to miss them. A part of the fold of facts. What is
// the same stays the same object, so that planning sees that nothing is new.

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
export type Sights = Pick<AgentView, "seenSinceMs" | "unheardSinceMs" | "laneSinceMs">;

/** The times after a report that came at `atMs`. */
export function sightsAfter(known: AgentView, report: AgentReport, atMs: number): Sights {
  const changed = changedKeys(known.report?.resources ?? NO_RESOURCES, report.resources);
  const seenSinceMs = seenSince(known, report, { changed, atMs });
  const laneSinceMs = laneSince(known, report, { changed, atMs });
  const unheardSinceMs = unheardSince(known, report, atMs);
  return {
    ...(seenSinceMs.size === 0 ? {} : { seenSinceMs }),
    ...(unheardSinceMs.size === 0 ? {} : { unheardSinceMs }),
    ...(laneSinceMs.size === 0 ? {} : { laneSinceMs }),
  };
}

/** The view without what a report adds. */
export function withoutSights(view: AgentView): Omit<AgentView, keyof Sights> {
  const { seenSinceMs: _seen, unheardSinceMs: _unheard, laneSinceMs: _lane, ...rest } = view;
  return rest;
}

/**
 * What an agent that comes anew has listened to counts from now on: it may have started again, and
 * then it has forgotten whom it did not hear.
 */
export function listenAgain(
  { laneSinceMs }: AgentView,
  atMs: number,
): Pick<AgentView, "laneSinceMs"> {
  if (laneSinceMs === undefined) return {};
  return { laneSinceMs: new Map(Array.from(laneSinceMs.keys(), (lane) => [lane, atMs])) };
}

/** Whoever is to run a lane has listened to it long before this, in ms. */
const LISTENING_MS_MAX = 60_000;

/**
 * Whether the agent has a lane since lately that it does not run: its next word may be that it has
 * nothing to say of who holds it.
 */
export function isListening({ laneSinceMs, report }: AgentView, atMs: number): boolean {
  if (laneSinceMs === undefined || laneSinceMs.size === 0) return false;
  const runs = new Set(report?.lanes.map(({ name }) => name));
  for (const [lane, sinceMs] of laneSinceMs) {
    if (atMs - sinceMs < LISTENING_MS_MAX && !runs.has(lane)) return true;
  }
  return false;
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
const NO_LANES: ReadonlyMap<ResourceName, number> = new Map();

/** Names of what the report says anew, and when it came. */
interface Changed {
  readonly changed: readonly ResourceName[];
  readonly atMs: number;
}

function laneSince(
  known: AgentView,
  report: AgentReport,
  { changed, atMs }: Changed,
): ReadonlyMap<ResourceName, number> {
  const before = known.report?.resources ?? NO_RESOURCES;
  let since: Map<ResourceName, number> | undefined;
  for (const name of changed) {
    const revision = report.resources.get(name)?.revision;
    if (!name.startsWith("lane/") || revision === before.get(name)?.revision) continue;
    since ??= new Map(known.laneSinceMs);
    if (revision === undefined) since.delete(name);
    else since.set(name, atMs);
  }
  return since ?? known.laneSinceMs ?? NO_LANES;
}

function seenSince(
  known: AgentView,
  report: AgentReport,
  { changed, atMs }: Changed,
): ReadonlyMap<Address, number> {
  const before = known.report?.resources ?? NO_RESOURCES;
  const seen = new Map(known.seenSinceMs);
  let isSame = true;
  for (const name of changed) {
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
