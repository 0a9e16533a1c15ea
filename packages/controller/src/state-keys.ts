// Keys of what several sources may name alike in the state: each source keeps its own. Pure.

import type { PoolName } from "@fairlead/model";

/** Of a pool. */
export function poolKey(source: string, name: PoolName): string {
  return `${source}\n${name}`;
}

/** Of a finding. */
export function findingKey(
  source: string,
  finding: { readonly subject: string; readonly name: string },
): string {
  return `${source}\n${finding.subject}\n${finding.name}`;
}
