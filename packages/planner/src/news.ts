// What agents say that they did not say last time. Given the witnesses of both times; touches the
// addresses of which judging may think otherwise now, so that one agent's report does not have
// every claim judged again.

import {
  type Address,
  type AgentName,
  type AgentReport,
  type Lane,
  type LaneId,
  type World,
  addressOfResource,
  changedKeys,
} from "@fairlead/model";

import { isAlike } from "./alike.ts";
import type { LeaseRows } from "./lease-rows.ts";
import { couldHold } from "./proof.ts";
import { hasSameMacs } from "./sighted.ts";
import type { Touched } from "./touched.ts";
import type { Witness, Witnesses } from "./witness.ts";

/** What news are about. */
export interface NewsOptions {
  readonly before: Witnesses | undefined;
  readonly now: Witnesses;
  readonly rows: LeaseRows;
  readonly lanes: ReadonlyMap<LaneId, Lane>;
}

/**
 * Touches every address that an agent has by its report and had not by the one before, or the
 * other way round: the store may not know that it was sent there.
 */
export function touchReported(
  { addresses }: Pick<Touched, "addresses">,
  before: World["agents"] | undefined,
  now: World["agents"],
): void {
  for (const name of changedKeys(before ?? NO_AGENTS, now)) {
    const old = before?.get(name)?.report?.resources ?? NO_RESOURCES;
    const { resources } = now.get(name)?.report ?? { resources: NO_RESOURCES };
    for (const resource of changedKeys(old, resources)) {
      if (old.has(resource) === resources.has(resource)) continue;
      const address = addressOfResource(resource);
      if (address !== undefined) addresses.add(address);
    }
  }
}

const NO_AGENTS: World["agents"] = new Map();
const NO_RESOURCES: AgentReport["resources"] = new Map();

/** Touches what the news are about. */
export function touchNews({ before, now, rows, lanes }: NewsOptions): void {
  const changed = new Set<AgentName>();
  for (const name of new Set([...(before?.keys() ?? []), ...now.keys()])) {
    const news = newsOf(before?.get(name), now.get(name));
    if (news === "everything") changed.add(name);
    else for (const address of news) rows.touched.addresses.add(address);
  }
  if (changed.size === 0) return;
  for (const row of rows.all.values()) {
    const lane = row.placement.kind === "lane" ? lanes.get(row.placement.lane) : undefined;
    if (couldHold(row, lane).some((name) => changed.has(name))) {
      rows.touched.addresses.add(row.address);
    }
  }
}

/** Addresses of which the agent says something else; or everything that it could hold. */
function newsOf(
  before: Witness | undefined,
  now: Witness | undefined,
): "everything" | readonly Address[] {
  if (before === undefined || now === undefined) return "everything";
  if (before.view === now.view && before.isStale === now.isStale) return NONE;
  const { connected, report, heldSinceMs } = now.view;
  const old = before.view;
  const isNear = old.connected === connected && before.isStale === now.isStale;
  if (!isNear || old.report === undefined || report === undefined) {
    return isNear && old.report === report ? NONE : "everything";
  }
  if (!isAlike(old.report.remarks, report.remarks)) return "everything";
  if (!isAlike(old.report.hearing, report.hearing)) return "everything";
  if (!hasSameMacs(old, now.view)) return "everything";
  const news: Address[] = [];
  for (const name of changedKeys(old.report.resources, report.resources)) {
    if (isAlike(old.report.resources.get(name), report.resources.get(name))) continue;
    const address = addressOfResource(name);
    // A lane's trouble is told of each of its addresses.
    if (address === undefined) return "everything";
    news.push(address);
  }
  return [...news, ...changedKeys(old.heldSinceMs, heldSinceMs)];
}

const NONE: readonly Address[] = [];
