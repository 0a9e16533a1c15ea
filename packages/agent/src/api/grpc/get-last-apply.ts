// The last pass over the host, step by step, for people. Pure. What was left out is told as of the
// last pass that was finished.

import type { GetLastApplyResponseSchema, MessageInitShape } from "@fairlead/wire";

import { type DebugContext, troubleRow, wholeMs } from "./debug-context.ts";
import { rowBytes, takeWithinRoom } from "./within-room.ts";

type LastApplyInit = MessageInitShape<typeof GetLastApplyResponseSchema>;

/** Answers GetLastApply. */
export function getLastApply({ nowMs, view }: DebugContext): LastApplyInit {
  const { pass, applied } = view;
  const applying = view.isApplying;
  if (pass === undefined) return { applying };
  const { taken, leftOut } = takeWithinRoom([...applied.problems], ([name, { detail }]) =>
    rowBytes(name, detail),
  );
  return {
    ageMs: wholeMs(nowMs - pass.endedMs),
    tookMs: wholeMs(pass.tookMs),
    revision: pass.revision,
    steps: pass.steps.map(({ tookMs, ...step }) => ({ ...step, tookMs: wholeMs(tookMs) })),
    problems: taken.map(([name, problem]) => ({
      name,
      revision: problem.revision,
      problem: troubleRow(problem),
    })),
    troubles: applied.remarks.map(troubleRow),
    brokeOff: pass.brokeOff ?? "",
    applying,
    passes: BigInt(view.passes),
    reloads: BigInt(view.reloads),
    leftOut,
  };
}
