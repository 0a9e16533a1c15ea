// When something that lists lack counts as gone: a second whole list has to lack it too, half a
// minute later. A part of the fold of facts; changes the maps that it is given.

import type { ClaimId, EditedMap } from "@fairlead/model";

import type { Absence, Seen } from "./cluster-state.ts";

/** After this long a second whole list that still lacks something makes it gone. */
export const ABSENCE_MS = 30_000;

/** Claims that no source has shown, and when each source listed last. */
export interface Orphans {
  readonly orphans: EditedMap<ClaimId, { readonly absent?: Absence }>;
  readonly listedSteadyMs: ReadonlyMap<string, number>;
}

/** Marks what the list lacks, and removes what an earlier list lacked long enough ago. */
export function judgeAbsence<Id, T>(
  seen: EditedMap<Id, Seen<T>>,
  list: { readonly source: string; readonly absent: Absence },
  each: {
    readonly isPresent: (id: Id, value: T) => boolean;
    readonly remove: (id: Id) => unknown;
  },
): boolean {
  let changed = false;
  for (const [id, entry] of seen) {
    if (entry.source !== list.source) continue;
    if (each.isPresent(id, entry.value)) {
      if (entry.absent === undefined) continue;
      const { absent: _, ...back } = entry;
      seen.set(id, back);
    } else if (entry.absent === undefined) {
      seen.set(id, { ...entry, absent: list.absent });
    } else if (list.absent.steadyMs - entry.absent.steadyMs >= ABSENCE_MS) {
      each.remove(id);
      changed = true;
    }
  }
  return changed;
}

/** An orphan has no source of its own: all of them must have listed whole, twice, apart. */
export function judgeOrphans(draft: Orphans, sources: readonly string[], now: Absence): boolean {
  const { orphans, listedSteadyMs } = draft;
  if (orphans.size === 0) return false;
  const times = sources.map((name) => listedSteadyMs.get(name));
  if (times.some((time) => time === undefined)) return false;
  const oldestMs = Math.min(...times.map((time) => time ?? 0));
  let changed = false;
  for (const [id, orphan] of orphans) {
    if (orphan.absent === undefined) {
      orphans.set(id, { absent: now });
    } else if (oldestMs - orphan.absent.steadyMs >= ABSENCE_MS) {
      orphans.delete(id);
      changed = true;
    }
  }
  return changed;
}
