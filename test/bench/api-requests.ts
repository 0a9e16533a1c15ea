// What the controller asked of the API server, counted from its audit log. Given the log's entries.

import { type AuditEntry, isWrite } from "@fairlead/lab";

import { CONTROLLER_USER } from "../e2e/stage/api-host.ts";
import type { Stage } from "../e2e/stage/stage.ts";

/** The controller's requests that came at or after this time on the wall clock, in ms. */
export async function controllerRequests(
  stage: Stage,
  sinceMs: number,
): Promise<readonly AuditEntry[]> {
  const log = await stage.api().cluster.auditLog();
  return log.filter((entry) => entry.user === CONTROLLER_USER && entry.receivedMs >= sinceMs);
}

/** Those of them that were to change something. */
export async function controllerWrites(
  stage: Stage,
  sinceMs: number,
): Promise<readonly AuditEntry[]> {
  return (await controllerRequests(stage, sinceMs)).filter(isWrite);
}

/** How many there are of each kind, such as "patch services/status", by the name of the kind. */
export function countByKind(entries: readonly AuditEntry[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { verb, resource } of entries) {
    const kind = `${verb} ${resource}`;
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  return new Map([...counts].toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
