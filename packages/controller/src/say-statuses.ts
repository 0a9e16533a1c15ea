// Has sources say anew what is published of claims that own nothing by the store, when a lead
// begins: such a store was lost or is an older copy, and those claims have what their statuses say.
// While a lead goes on that is no matter, so that nobody follows it then. Given what is stored.

import type { ClusterState } from "./cluster-state.ts";
import type { Source, StoredState } from "./ports.ts";

/** Resolves when all of it is said; at once where the store knows of every claim. */
export async function sayStatuses(
  sources: readonly Source[],
  claims: ClusterState["claims"],
  { leases }: Pick<StoredState, "leases">,
): Promise<void> {
  const owning = new Set(leases.flatMap(({ owners }) => owners.map(({ claim }) => claim)));
  const others = new Set(Array.from(claims.keys()).filter((id) => !owning.has(id)));
  if (others.size === 0) return;
  await Promise.all(sources.map((source) => source.sayStatuses?.(others) ?? Promise.resolve()));
}
