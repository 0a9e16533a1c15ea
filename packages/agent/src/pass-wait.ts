// When the next pass may begin: not before daemons had their rest after the last one, what is new
// in another agent's lanes not before that agent, whose clients wait, had time to serve it, and a
// plan from before the host booted not before the controller had time to send a newer one.
// Given plans and times; it has no clock and wakes nobody.

import {
  type AgentName,
  type LaneResource,
  type Resource,
  type ResourceName,
  changedKeys,
  listenerOfMembers,
  vipName,
} from "@fairlead/model";

import type { Applied } from "./applied.ts";
import type { PassResult } from "./apply.ts";
import {
  OLD_PLAN_MS,
  RELOAD_GAP_MS,
  RELOAD_GAP_MS_MAX,
  RELOAD_GAP_TIMES,
  SUCCESSOR_MS,
} from "./converge-times.ts";
import type { AcceptedPlan } from "./ports.ts";
import { retryMsOf } from "./undecided.ts";

/** When passes may begin. All times are monotonic ms. */
export interface PassWait {
  /** The host has booted since this plan, if any, was applied: a newer one may be under way. */
  booted(plan: AcceptedPlan | undefined, nowMs: number): void;
  /**
   * Begins a pass for this plan, unless it has to wait.
   * @returns how long it has to wait yet, in ms; 0: it begins now.
   */
  begin(wanted: AcceptedPlan | undefined, applied: Pick<Applied, "lanes">, nowMs: number): number;
  /**
   * The pass that began then has ended so now.
   * @returns after how long what failed in it is tried again, in ms.
   */
  ended(begunMs: number, result: EndedPass, nowMs: number): number;
}

type EndedPass = Pick<PassResult, "disturbed" | "reloadMs"> & {
  readonly applied: Pick<Applied, "undecided">;
};

/** Makes it, of a loop that has made no pass. */
export function createPassWait(): PassWait {
  /** The plan of the last pass. */
  let before: AcceptedPlan | undefined;
  /** When a pass was first to begin that is not the holder's; undefined while none waits. */
  let secondMs: number | undefined;
  let restsUntilMs = Number.NEGATIVE_INFINITY;
  /** Of before the boot, and until when it waits. */
  let old: { readonly revision: AcceptedPlan["revision"]; readonly untilMs: number } | undefined;
  const leftMs: PassWait["begin"] = (wanted, applied, nowMs) => {
    if (wanted === undefined || isUrgent(wanted, applied)) return 0;
    // A new leader's epoch makes no newer plan of it.
    if (wanted.revision === old?.revision) return Math.max(0, old.untilMs - nowMs);
    const restMs = restsUntilMs - nowMs;
    if (before === undefined || !isOnlyForOthers(before, wanted)) return Math.max(0, restMs);
    secondMs ??= nowMs;
    return Math.max(0, restMs, secondMs + SUCCESSOR_MS - nowMs);
  };
  return {
    booted: (plan, nowMs) => {
      if (plan === undefined || !hasLanes(plan)) return;
      old = { revision: plan.revision, untilMs: nowMs + OLD_PLAN_MS };
    },
    begin: (wanted, applied, nowMs) => {
      const waitMs = leftMs(wanted, applied, nowMs);
      if (waitMs > 0) return waitMs;
      before = wanted;
      secondMs = undefined;
      return 0;
    },
    ended: (begunMs, { disturbed, reloadMs, applied }, nowMs) => {
      if (disturbed) restsUntilMs = begunMs + gapMs(reloadMs);
      return retryMsOf(applied.undecided.values(), nowMs);
    },
  };
}

/** From the begin of a pass that reloaded to that of the next. */
function gapMs(tookMs: number): number {
  return Math.max(RELOAD_GAP_MS, Math.min(RELOAD_GAP_MS_MAX, RELOAD_GAP_TIMES * tookMs));
}

/** Whether others may have its addresses by now: also of a lane that it had alone. */
function hasLanes({ plan }: AcceptedPlan): boolean {
  return [...plan.resources.values()].some(({ kind }) => kind === "lane");
}

/** Whether it has this host leave a lane that another one holds beside it. */
function isUrgent(wanted: AcceptedPlan, { lanes }: Pick<Applied, "lanes">): boolean {
  return [...lanes.keys()].some((name) => {
    const resource = wanted.plan.resources.get(name);
    return resource?.kind === "lane" && resource.listens === true;
  });
}

/** Whether all that differs came new, in lanes that another one holds or is to hold first. */
function isOnlyForOthers(before: AcceptedPlan, { plan }: AcceptedPlan): boolean {
  const changed = changedKeys<ResourceName, Resource>(before.plan.resources, plan.resources);
  const isNews = (name: ResourceName): boolean => {
    if (before.plan.resources.has(name)) return false;
    const first = firstOf(laneOf(plan.resources, plan.resources.get(name)));
    return first !== undefined && first !== plan.agent;
  };
  return changed.length > 0 && changed.every(isNews);
}

function firstOf(lane: LaneResource | undefined): AgentName | undefined {
  return lane?.holder ?? (lane?.preempt === true ? lane.order[0]?.agent : undefined);
}

type Resources = ReadonlyMap<ResourceName, Resource>;

/** The lane that a resource is there for. */
function laneOf(resources: Resources, resource: Resource | undefined): LaneResource | undefined {
  switch (resource?.kind) {
    case "lane":
      return resource;
    case "vip": {
      if (resource.carrier.kind !== "lane") return undefined;
      const lane = resources.get(resource.carrier.resource);
      return lane?.kind === "lane" ? lane : undefined;
    }
    case "listener":
      return laneOf(resources, resources.get(vipName(resource.address)));
    case "members":
      return laneOf(resources, resources.get(listenerOfMembers(resource)));
    case undefined:
      return undefined;
  }
}
