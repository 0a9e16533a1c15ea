// The listeners of a plan with their members, as they are to be served. Pure.

import { type MemberSetResource, type Resource, assert } from "@fairlead/model";

import type { ServedListener } from "./applied.ts";
import type { AcceptedPlan } from "./ports.ts";

/** All listeners of a plan, in its order; where their members stand is not decided here. */
export function servedListeners({ plan, revisions }: AcceptedPlan): readonly ServedListener[] {
  const found: ServedListener[] = [];
  for (const listener of plan.resources.values()) {
    if (listener.kind !== "listener") continue;
    const members = plan.resources.get(listener.members);
    const revision = revisions.get(listener.name);
    const membersRevision = revisions.get(listener.members);
    assert(isMemberSet(members), "an accepted plan names no missing member set");
    assert(
      revision !== undefined && membersRevision !== undefined,
      "every resource has a revision",
    );
    found.push({ listener, members, revision, membersRevision });
  }
  return found;
}

function isMemberSet(resource: Resource | undefined): resource is MemberSetResource {
  return resource?.kind === "members";
}
