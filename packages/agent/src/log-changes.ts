// What a pass changed, in the log: each thing that was left out and each trouble of the host, once
// and not once a pass. Given what was applied before and after it.

import type { Logger } from "@fairlead/runtime";

import type { Applied } from "./applied.ts";

/** Says what is new in `after`. */
export function logChanges(log: Logger, before: Applied, after: Applied): void {
  for (const [name, problem] of after.problems) {
    if (before.problems.get(name)?.detail === problem.detail) continue;
    log.warn({ resource: name, reason: problem.reason, detail: problem.detail }, "left out");
  }
  for (const remark of after.remarks) {
    if (before.remarks.some((known) => known.detail === remark.detail)) continue;
    log.warn({ reason: remark.reason, detail: remark.detail }, "trouble on this host");
  }
}
