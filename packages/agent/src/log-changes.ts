// What a pass changed, in the log: each thing that was left out and each trouble of the host, once
// and not once a pass, with what to do; and that it has passed. Given what was applied before and
// after.

import { REASONS, type Reason } from "@fairlead/model";
import type { Logger } from "@fairlead/runtime";

import type { Applied } from "./applied.ts";

type Outcome = Pick<Applied, "problems" | "remarks">;

/** Says what is new in `after`, and what is over. */
export function logChanges(
  log: Pick<Logger, "info" | "warn">,
  before: Outcome,
  after: Outcome,
): void {
  for (const [name, problem] of after.problems) {
    if (before.problems.get(name)?.detail === problem.detail) continue;
    log.warn({ resource: name, ...troubleFields(problem) }, "left out");
  }
  for (const [name, { reason }] of before.problems) {
    if (!after.problems.has(name)) log.info({ resource: name, reason }, "no longer left out");
  }
  for (const remark of after.remarks) {
    if (before.remarks.some((known) => known.detail === remark.detail)) continue;
    log.warn(troubleFields(remark), "trouble on this host");
  }
  const reasons = new Set(after.remarks.map(({ reason }) => reason));
  for (const reason of new Set(before.remarks.map((remark) => remark.reason))) {
    if (!reasons.has(reason)) log.info({ reason }, "that trouble has passed");
  }
}

/** The detail goes last: it is the longest, and may be a daemon's own words. */
function troubleFields({
  reason,
  detail,
}: {
  readonly reason: Reason;
  readonly detail: string;
}): Readonly<Record<"reason" | "code" | "todo" | "detail", string>> {
  const { code, remedy } = REASONS[reason];
  return { reason, code, todo: remedy, detail };
}
