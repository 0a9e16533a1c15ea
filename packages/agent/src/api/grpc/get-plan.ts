// The plan that the agent follows, in full, for people. Pure. What the answer has no room for is
// counted.

import type {
  GetPlanRequest,
  GetPlanResponseSchema,
  JsonObject,
  MessageInitShape,
} from "@fairlead/wire";

import type { DebugContext } from "./debug-context.ts";
import { takeWithinRoom } from "./within-room.ts";

type PlanInit = MessageInitShape<typeof GetPlanResponseSchema>;

/** More than a Struct needs for one character of JSON: 1.2 to 1.5, measured over all kinds. */
const BYTES_PER_CHARACTER = 2;

/** Answers GetPlan. */
export function getPlan(
  { view }: DebugContext,
  { namePrefix }: Pick<GetPlanRequest, "namePrefix">,
): PlanInit {
  const { wanted, isKept, appliedPlan } = view;
  if (wanted === undefined) return { present: false };
  const asked = [...wanted.plan.resources.values()]
    .filter(({ name }) => name.startsWith(namePrefix))
    .map((resource) => ({ resource, text: JSON.stringify(resource) }));
  const { taken, leftOut } = takeWithinRoom(asked, ({ text }) => text.length * BYTES_PER_CHARACTER);
  return {
    present: true,
    revision: wanted.revision,
    epoch: BigInt(wanted.epoch),
    kept: isKept,
    appliedRevision: appliedPlan ?? "",
    resources: taken.map(({ resource, text }) => ({
      name: resource.name,
      revision: wanted.revisions.get(resource.name) ?? "",
      content: contentOf(text),
    })),
    leftOut,
  };
}

/** Without the name, which stands beside it. */
function contentOf(text: string): JsonObject {
  const { name: _, ...content } = JSON.parse(text) as JsonObject;
  return content;
}
