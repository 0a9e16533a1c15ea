// Takes an update: the plan that is held and a difference become the next plan, or a refusal. Pure.
// Everything the controller checked before sending is checked again here, because an agent serves
// what it accepts for as long as it hears nothing better.

import {
  type AgentName,
  type Resource,
  type ResourceName,
  type Revision,
  changedKeys,
  editMap,
} from "@fairlead/model";
import {
  type IncomingUpdate,
  type Nack,
  type Revisions,
  type UpdateRefusal,
  unconfirmedRemovalsMax,
} from "@fairlead/wire";

import type { AcceptedPlan } from "../ports.ts";

/** What an update is judged by. */
export interface ReceiveInput {
  readonly agent: AgentName;
  readonly held: AcceptedPlan | undefined;
  /** Highest leader epoch ever obeyed; the held plan's counts as well. */
  readonly epoch: number;
  readonly update: IncomingUpdate;
  readonly revisions: Revisions;
}

/** What became of an update. */
export type Received =
  | { readonly kind: "accepted"; readonly plan: AcceptedPlan; readonly nacks: readonly Nack[] }
  | {
      readonly kind: "refused";
      readonly refusal: UpdateRefusal;
      /** Lower case, for the log. */
      readonly detail: string;
      readonly nacks: readonly Nack[];
    };

/** Judges an update and makes the plan that it leads to. */
export function receiveUpdate(input: ReceiveInput): Received {
  const { held, update, revisions } = input;
  const obeyed = Math.max(input.epoch, held?.epoch ?? 0);
  if (update.epoch < obeyed) {
    return refuse("stale-epoch", `epoch ${update.epoch} is below ${obeyed}, which was obeyed`);
  }
  if (update.baseRevision !== held?.revision) {
    return refuse("wrong-base", "the difference is from a plan that is not held");
  }
  const taken = take(held, update, revisions);
  const changed = changedKeys<ResourceName, Resource>(
    held?.plan.resources ?? new Map(),
    taken.resources,
  );
  const dangling = firstDangling(held, taken.resources, changed);
  if (dangling !== undefined) return refuse("invalid", dangling, taken.nacks);
  const lost = countLostVips(held, taken.resources, changed);
  if (!update.confirmed && lost > 0) {
    const lostMax = unconfirmedRemovalsMax(countVips(held?.plan.resources));
    const detail = `${lost} VIPs would go at once, at most ${lostMax} may`;
    if (lost > lostMax) return refuse("unconfirmed-removal", detail);
  }
  const revision = revisions.planRevisionOf(taken.revisions);
  // Pair assertion: what both sides computed must agree, or one of them lost something.
  if (taken.nacks.length === 0 && revision !== update.newRevision) {
    return refuse("invalid", "the result is not the plan that was announced");
  }
  const plan = { agent: input.agent, resources: taken.resources, retained: [] };
  const accepted = { plan, epoch: update.epoch, revision, revisions: taken.revisions };
  return { kind: "accepted", plan: accepted, nacks: taken.nacks };
}

interface Taken {
  readonly resources: ReadonlyMap<ResourceName, Resource>;
  readonly revisions: ReadonlyMap<ResourceName, Revision>;
  readonly nacks: readonly Nack[];
}

/** Puts the difference on the held plan. What is not taken stays as it was held. */
function take(
  held: AcceptedPlan | undefined,
  update: IncomingUpdate,
  { revisionOf }: Revisions,
): Taken {
  const resources = editMap<ResourceName, Resource>(held?.plan.resources ?? new Map());
  const revisions = editMap<ResourceName, Revision>(held?.revisions ?? new Map());
  const nacks: Nack[] = [...update.unreadable];
  for (const name of update.tombstones) {
    resources.delete(name);
    revisions.delete(name);
  }
  for (const { resource, revision } of inOrder(update)) {
    const { name } = resource;
    const detail =
      revisionOf(resource) === revision
        ? missing(resource, resources)
        : "the content does not hash to its revision";
    if (detail !== undefined) {
      nacks.push({ name, problem: { reason: "BadField", detail, revision } });
      continue;
    }
    resources.set(name, resource);
    revisions.set(name, revision);
  }
  return { resources: resources.done(), revisions: revisions.done(), nacks };
}

/** Whether others refer to it. */
function isTarget({ kind }: Resource): boolean {
  return kind === "lane" || kind === "members";
}

/** Targets of references before what refers to them. */
function inOrder(update: IncomingUpdate): IncomingUpdate["upserts"] {
  const { upserts } = update;
  return [
    ...upserts.filter(({ resource }) => isTarget(resource)),
    ...upserts.filter(({ resource }) => !isTarget(resource)),
  ];
}

/** What was held dangled nowhere: only what came may, or anything when a target went. */
function firstDangling(
  held: AcceptedPlan | undefined,
  resources: ReadonlyMap<ResourceName, Resource>,
  changed: readonly ResourceName[],
): string | undefined {
  const isTargetGone = changed.some((name) => {
    const before = held?.plan.resources.get(name);
    return before !== undefined && isTarget(before) && !resources.has(name);
  });
  for (const name of isTargetGone ? resources.keys() : changed) {
    const resource = resources.get(name);
    const detail = resource && missing(resource, resources);
    if (detail !== undefined) return `${name}: ${detail}`;
  }
  return undefined;
}

/** What a resource refers to and is not there. */
function missing(
  resource: Resource,
  resources: ReadonlyMap<ResourceName, Resource>,
): string | undefined {
  if (resource.kind === "listener" && !resources.has(resource.members)) {
    return `it needs ${resource.members}, which is not there`;
  }
  if (resource.kind === "vip" && resource.carrier.kind === "lane") {
    const lane = resource.carrier.resource;
    if (!resources.has(lane)) return `it needs ${lane}, which is not there`;
  }
  return undefined;
}

function countVips(resources: ReadonlyMap<ResourceName, Resource> | undefined): number {
  let count = 0;
  for (const resource of resources?.values() ?? []) if (resource.kind === "vip") count += 1;
  return count;
}

function countLostVips(
  held: AcceptedPlan | undefined,
  next: ReadonlyMap<ResourceName, Resource>,
  changed: readonly ResourceName[],
): number {
  return changed.filter((name) => {
    return held?.plan.resources.get(name)?.kind === "vip" && !next.has(name);
  }).length;
}

function refuse(
  refusal: UpdateRefusal,
  detail: string,
  nacks: readonly Nack[] = [],
): Received & { readonly kind: "refused" } {
  return { kind: "refused", refusal, detail, nacks };
}
