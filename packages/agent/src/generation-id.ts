// The id of an nginx generation: equal for equal content, different for any other.

import { createHash } from "node:crypto";

import { compareText } from "@fairlead/model";

import type { ServedListener } from "./applied.ts";

/**
 * The id of the generation that serves exactly these listeners with these members: 16 hex digits.
 * The order does not matter.
 * @param salt everything else that the file depends on, as text.
 */
export function generationId(listeners: readonly ServedListener[], salt: string): string {
  const lines = listeners
    .map((entry) => [entry.listener.name, entry.revision, upstreamKey(entry)].join(" "))
    .toSorted(compareText);
  return createHash("sha256")
    .update([salt, ...lines].join("\n"))
    .digest("hex")
    .slice(0, 16);
}

/** What nginx's file has of a listener's members: equal when the text is. */
function upstreamKey({ membersRevision, place }: ServedListener): string {
  return place === undefined ? membersRevision : `${place.service}/${place.slots}`;
}

/** Whether nginx's file has the same of both. */
export function isSameText(one: ServedListener | undefined, other: ServedListener): boolean {
  return one?.revision === other.revision && upstreamKey(one) === upstreamKey(other);
}
