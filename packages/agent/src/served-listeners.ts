// The listeners of a plan with their members, as they are to be served. Pure.

import {
  type ListenerResource,
  type MemberSetResource,
  type Resource,
  assert,
} from "@fairlead/model";

import type { ServedListener } from "./applied.ts";
import type { AcceptedPlan } from "./ports.ts";

/** All listeners of a plan, in its order; where their members stand is not decided here. */
export function servedListeners(wanted: AcceptedPlan): readonly ServedListener[] {
  const found: ServedListener[] = [];
  for (const resource of wanted.plan.resources.values()) {
    if (resource.kind === "listener") found.push(servedListener(wanted, resource));
  }
  return found;
}

/** One listener of a plan. */
export function servedListener(
  { plan, revisions }: AcceptedPlan,
  listener: ListenerResource,
): ServedListener {
  const members = plan.resources.get(listener.members);
  const revision = revisions.get(listener.name);
  const membersRevision = revisions.get(listener.members);
  assert(isMemberSet(members), "an accepted plan names no missing member set");
  assert(revision !== undefined && membersRevision !== undefined, "every resource has a revision");
  return { listener, members, revision, membersRevision };
}

function isMemberSet(resource: Resource | undefined): resource is MemberSetResource {
  return resource?.kind === "members";
}

/** Members in the kernel's table change beside nginx: only what its file says stays as it was. */
export function withMembersOf(
  wanted: ServedListener | undefined,
  served: ServedListener,
): ServedListener {
  if (wanted === undefined || served.place === undefined) return served;
  if (wanted.place?.service !== served.place.service) return served;
  const { members, membersRevision } = wanted;
  return { ...served, members, membersRevision };
}
