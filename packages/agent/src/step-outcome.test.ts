// What of a pass counts as the time of its reload: a rest is a multiple of it.

import assert from "node:assert/strict";
import { test } from "node:test";

import { servingMs, type StepOutcome } from "./step-outcome.ts";

function step(
  kind: StepOutcome["kind"],
  tookMs: number,
  outcome: StepOutcome["outcome"] = "done",
): StepOutcome {
  return { kind, subject: "", outcome, detail: "", tookMs };
}

test("what a pass waits for beside its reload makes the next one no later", () => {
  assert.equal(servingMs([step("ask", 1200), step("serve", 90), step("hold", 400)]), 90);
});

test("of two instances of nginx the slower one counts", () => {
  assert.equal(servingMs([step("serve", 90), step("serve", 700)]), 700);
});

test("a taken port that nginx waited for in vain is no measure of a host", () => {
  assert.equal(servingMs([step("serve", 2600, "refused")]), 0);
  assert.equal(servingMs([step("serve", 2600, "partly")]), 0);
  assert.equal(servingMs([]), 0);
});
