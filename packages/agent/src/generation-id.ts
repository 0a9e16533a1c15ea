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
    .map(({ listener, revision, membersRevision }) =>
      [listener.name, revision, membersRevision].join(" "),
    )
    .toSorted(compareText);
  return createHash("sha256")
    .update([salt, ...lines].join("\n"))
    .digest("hex")
    .slice(0, 16);
}
