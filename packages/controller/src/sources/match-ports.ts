// Which numbers of an EndpointSlice belong to a port of its Service. Pure. A list of ports is read
// once, and then asked for each port of the Service.

import { compareNumber } from "@fairlead/model";

import type { ServicePort } from "./service-object.ts";
import type { SlicePort } from "./slice-object.ts";

/** Numbers of a slice that belong to a Service port, sorted, none twice. */
export type MatchPort = (port: ServicePort) => readonly number[];

/**
 * Reads the ports of a slice. Kubernetes writes the Service port's name into the slice; slices
 * written by hand often lack it, so target port and number count too, but never of what is another
 * port's by its name.
 * @param names names of all ports of the Service.
 */
export function portMatcher(list: readonly SlicePort[], names: ReadonlySet<string>): MatchPort {
  const byName = new Map<string, Set<number>>();
  const free = new Set<string>();
  for (const { protocol, name, port } of list) {
    if (port === undefined) continue;
    const key = `${protocol} ${name}`;
    byName.set(key, (byName.get(key) ?? new Set()).add(port));
    if (!names.has(name)) free.add(`${protocol} ${port}`);
  }
  const sorted = new Map(
    Array.from(byName, ([key, numbers]) => [key, [...numbers].toSorted(compareNumber)]),
  );
  return ({ protocol, name, port, targetPort }) => {
    const named = sorted.get(`${protocol} ${name}`) ?? [];
    if (typeof targetPort === "string") {
      if (named.length > 0 || names.has(targetPort)) return named;
      return sorted.get(`${protocol} ${targetPort}`) ?? [];
    }
    const number = targetPort === undefined || targetPort === 0 ? port : targetPort;
    // Several ports without a name are told apart by their numbers alone.
    if (named.includes(number)) return [number];
    return named.length === 0 && free.has(`${protocol} ${number}`) ? [number] : named;
  };
}
