// Finds out whether somebody else writes a Service's load-balancer status. Given the object's
// managedFields, which the API server keeps for every writer. Pure.

import type { ManagedField } from "./object-metadata.ts";

/**
 * The first manager other than `own` that wrote `status.loadBalancer`; undefined when there is
 * none, and for objects out of files, which have no managedFields.
 */
export function foreignStatusManager(
  fields: readonly ManagedField[],
  own: string,
): string | undefined {
  const found = fields.find(({ manager, fieldsV1 }) => {
    if (manager === undefined || manager === own) return false;
    const status = child(fieldsV1, "f:status");
    return child(status, "f:loadBalancer") !== undefined;
  });
  return found?.manager;
}

function child(value: unknown, key: string): unknown {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
  return Object.entries(value).find(([name]) => name === key)?.[1];
}
