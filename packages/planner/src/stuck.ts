// Which agents cannot run a lane that they have. Given their reports: whoever waited for the word
// of one whose keepalived does not start would wait for ever, and the lane could lose its only
// others.

import {
  type Address,
  type AgentName,
  type AgentView,
  type Lane,
  type LeasedAddress,
  type Reason,
  type World,
  laneName,
} from "@fairlead/model";

import { type ListenWorld, listenMs, listenedMs } from "./hearing.ts";
import { WITHDRAW_AFTER_MS } from "./proof.ts";

/** What it is decided from. */
export interface StuckOptions {
  readonly world: Pick<World, "nowMs">;
  readonly rows: ReadonlyMap<Address, LeasedAddress>;
}

/** What is said where keepalived does not start; while it starts for the first time none of it. */
const FAILURES: ReadonlySet<Reason> = new Set(["DataPlaneDown", "DiskUnwritable"]);

/**
 * Whether the agent says that it cannot run the lane. That is not believed of a lane that it held a
 * moment ago: its supervisor may have keepalived back already, which holds it again. One that comes
 * back later is told of everybody by its agent before it starts, or as soon as it runs.
 */
export function isStuck({ world, rows }: StuckOptions, lane: Lane, view: AgentView): boolean {
  const { report, lostAtMs } = view;
  if (report === undefined || report.dataPlane.keepalivedAlive) return false;
  const hasFailed =
    report.resources.get(laneName(lane.id))?.problem !== undefined ||
    report.remarks.some(({ reason }) => FAILURES.has(reason));
  if (!hasFailed) return false;
  for (const [address, lostMs] of lostAtMs ?? []) {
    const placement = rows.get(address)?.placement;
    if (placement?.kind !== "lane" || placement.lane !== lane.id) continue;
    if (world.nowMs - lostMs < WITHDRAW_AFTER_MS) return false;
  }
  return true;
}

/** What it is decided from. */
export interface TriedOptions {
  readonly world: ListenWorld;
  readonly rows: StuckOptions["rows"];
}

/**
 * Whether the agent has failed for a while: what fails once at the start of a new lane may run a
 * moment later, by the plan that it had then. Of one that does not say that it has the lane it
 * counts from when it was sent the first VIP of it.
 */
export function hasTried({ world, rows }: TriedOptions, lane: Lane, agent: AgentName): boolean {
  const { settings, nowMs } = world;
  const triedMs = listenedMs(world, lane, agent);
  if (Number.isFinite(triedMs)) return triedMs <= nowMs;
  const sent = [...rows.values()].filter(
    ({ placement, sentTo }) =>
      placement.kind === "lane" && placement.lane === lane.id && sentTo.includes(agent),
  );
  const sinceMs = Math.min(...sent.map((row) => row.sinceMs));
  return sent.length === 0 || sinceMs + listenMs(settings) <= nowMs;
}
