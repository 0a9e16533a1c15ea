// Programming: what each agent must hold. Given lanes and what comes with each VIP; holder and
// successors get the same. An agent that is out of reach keeps its plan, for it goes on serving.
//
// Addresses of absent claims are named as retained for every agent that was sent them or says that
// it has them, so that whatever it has for them stays; nothing new is made of them.

import {
  type Address,
  type AgentName,
  type LeasedAddress,
  type NodePlan,
  type Resource,
  type ResourceName,
  type World,
  compareAddress,
  patchMap,
} from "@fairlead/model";

import type { CarriedChange, VipPlace } from "./carried.ts";
import { type LaneResources, carriersOf, hasSameRunners } from "./lane-resources.ts";
import { hasAbsentOwner, reportersOf } from "./release.ts";
import { keepMap } from "./touched.ts";

/** What programming works on. */
export interface ProgramOptions {
  readonly world: World;
  readonly forgotten: ReadonlySet<AgentName>;
  readonly rows: ReadonlyMap<Address, LeasedAddress>;
  readonly lanes: LaneResources;
  /** What was looked at of that which comes with VIPs: everything else is as before. */
  readonly carried: readonly CarriedChange[];
  readonly before:
    | { readonly nodePlans: ReadonlyMap<AgentName, NodePlan>; readonly lanes: LaneResources }
    | undefined;
}

/** Makes the plans; an agent for which nothing changed keeps the same plan object. */
export function program(options: ProgramOptions): ReadonlyMap<AgentName, NodePlan> {
  const { world, lanes, carried, before } = options;
  const drafts = createDrafts(world, before?.nodePlans);
  changeLanes(drafts, before?.lanes ?? NO_LANES, lanes);
  for (const { old, now } of carried) {
    const place = now?.place ?? old?.place;
    if (place === undefined) continue;
    if (old === now && hasSameCarriers(options, place)) continue;
    for (const agent of carriersOf(before?.lanes, old?.place)) {
      drafts.drop(agent, old?.resources ?? []);
    }
    for (const agent of carriersOf(lanes, now?.place)) drafts.add(agent, now?.resources ?? []);
  }
  return keepMap(before?.nodePlans, drafts.finish(retainedBy(options)));
}

const NO_LANES: LaneResources = new Map();

/** An agent that was not known had no plan. */
function hasSameCarriers({ lanes, before }: ProgramOptions, place: VipPlace): boolean {
  if (place.kind === "lane") return hasSameRunners(before?.lanes, lanes, place.lane);
  return before?.nodePlans.has(place.agent) === true;
}

function changeLanes(drafts: Drafts, before: LaneResources, now: LaneResources): void {
  for (const [id, old] of before) {
    for (const [agent, resource] of old) {
      if (now.get(id)?.get(agent) !== resource) drafts.drop(agent, [resource]);
    }
  }
  for (const [id, resources] of now) {
    for (const [agent, resource] of resources) {
      if (before.get(id)?.get(agent) !== resource) drafts.add(agent, [resource]);
    }
  }
}

interface Drafts {
  drop(agent: AgentName, resources: readonly Resource[]): void;
  add(agent: AgentName, resources: readonly Resource[]): void;
  finish(retained: ReadonlyMap<AgentName, readonly Address[]>): ReadonlyMap<AgentName, NodePlan>;
}

/** Gathers what changes in each agent's plan; what is added last counts. */
function createDrafts(world: World, before: ReadonlyMap<AgentName, NodePlan> | undefined): Drafts {
  const changes = new Map<AgentName, Map<ResourceName, Resource | undefined>>();
  const changesOf = (agent: AgentName): Map<ResourceName, Resource | undefined> => {
    const known = changes.get(agent) ?? new Map<ResourceName, Resource | undefined>();
    changes.set(agent, known);
    return known;
  };
  return {
    drop: (agent, resources) => {
      const draft = changesOf(agent);
      for (const { name } of resources) draft.set(name, undefined);
    },
    add: (agent, resources) => {
      const draft = changesOf(agent);
      for (const resource of resources) draft.set(resource.name, resource);
    },
    finish: (retained) => {
      const plans = new Map<AgentName, NodePlan>();
      for (const agent of world.agents.keys()) {
        const old = before?.get(agent);
        const kept = retained.get(agent) ?? NONE_RETAINED;
        const isRetainedSame = old !== undefined && isSameList(old.retained, kept);
        const resources = patchMap(
          old?.resources ?? NO_RESOURCES,
          changes.get(agent) ?? NO_CHANGES,
        );
        const isSame = isRetainedSame && resources === old.resources;
        plans.set(agent, isSame ? old : { agent, resources, retained: kept });
      }
      return plans;
    },
  };
}

const NO_RESOURCES: NodePlan["resources"] = new Map();
const NO_CHANGES: ReadonlyMap<ResourceName, Resource | undefined> = new Map();
const NONE_RETAINED: readonly Address[] = [];

function isSameList(a: readonly Address[], b: readonly Address[]): boolean {
  return a.length === b.length && a.every((address, i) => address === b[i]);
}

function retainedBy({
  world,
  rows,
  forgotten,
}: ProgramOptions): ReadonlyMap<AgentName, readonly Address[]> {
  const retained = new Map<AgentName, Address[]>();
  if (world.absent.size === 0) return retained;
  for (const row of rows.values()) {
    if (!hasAbsentOwner(world, row)) continue;
    for (const agent of new Set([...row.sentTo, ...reportersOf(world, row.address)])) {
      if (forgotten.has(agent)) continue;
      const known = retained.get(agent);
      if (known === undefined) retained.set(agent, [row.address]);
      else known.push(row.address);
    }
  }
  for (const addresses of retained.values()) addresses.sort(compareAddress);
  return retained;
}
