// The last good plan on disk: what a start without a controller serves. It is written before the
// plan acts, so that a restart in the middle of a pass goes on with it.

import { type Revisions, createPlanWriter, planFromText } from "@fairlead/wire";
import {
  describeError,
  isEdgeError,
  readFileBounded,
  removeUnfinished,
  writeFileDurably,
} from "@fairlead/runtime";

import type { AcceptedPlan, PlanFile } from "./ports.ts";

/** Ten thousand Services with two ports are about 20 MB. */
const PLAN_BYTES_MAX = 64 * 1024 * 1024;

/** Makes the plan file `<state-dir>/plan.json`. */
export function createPlanFile(options: {
  readonly path: string;
  readonly revisions: Revisions;
}): PlanFile {
  const { path, revisions } = options;
  const write = createPlanWriter();
  return {
    async load() {
      await removeUnfinished(path);
      try {
        const text = (await readFileBounded(path, PLAN_BYTES_MAX)).toString("utf8");
        const decoded = planFromText(text, revisions);
        if (decoded.kind === "ok") return { plan: decoded.value };
        return damaged(`${path} is not used: ${decoded.detail}`);
      } catch (error) {
        if (isEdgeError(error, "NOT_FOUND")) return { plan: undefined };
        return damaged(`${path} cannot be read: ${describeError(error)}`);
      }
    },
    save: (plan) => writeFileDurably(path, write(plan), { mode: 0o600 }),
  };
}

function damaged(detail: string): Awaited<ReturnType<PlanFile["load"]>> {
  return { plan: undefined, remark: { reason: "DiskUnwritable", detail } };
}

/**
 * A plan from disk never lets a host take a lane from a living holder: who holds it may have
 * changed since, and only the controller knows.
 */
export function withoutPreempt(accepted: AcceptedPlan): AcceptedPlan {
  const resources = new Map(accepted.plan.resources);
  for (const [name, resource] of resources) {
    if (resource.kind === "lane") resources.set(name, { ...resource, preempt: false });
  }
  return { ...accepted, plan: { ...accepted.plan, resources } };
}
