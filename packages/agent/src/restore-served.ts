// What a generation of nginx serves that an agent before this one handed over. Pure: nothing is
// taken on trust, as the id of a generation says exactly what is in it.

import type { ResourceName } from "@fairlead/model";

import type { ServedListener } from "./applied.ts";
import { type ListenPlace, placeOf } from "./listen-place.ts";

/** What is known of the generation that answers. */
export interface AnsweringGeneration {
  /** Undefined: it has no time to answer. */
  readonly id: string | undefined;
  /** Places that its file listens on. */
  readonly places: ReadonlySet<ListenPlace>;
}

/**
 * The wanted listeners that this generation serves already, just as they are wanted; none when it
 * serves anything else: then nobody knows what in it has changed since.
 */
export function restoreServed(
  wanted: readonly ServedListener[],
  { id, places }: AnsweringGeneration,
  generationOf: (listeners: readonly ServedListener[]) => string,
): ReadonlyMap<ResourceName, ServedListener> {
  const listened = wanted.filter(({ listener }) => places.has(placeOf(listener)));
  if (generationOf(listened) !== id) return new Map();
  return new Map(listened.map((entry) => [entry.listener.name, entry]));
}
