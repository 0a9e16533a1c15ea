// When the plan on disk is written again.

import assert from "node:assert/strict";
import { test } from "node:test";

import { acceptedPlan } from "@fairlead/testkit";

import { createKeptPlan } from "./kept-plan.ts";
import type { AcceptedPlan } from "./ports.ts";

test("a plan is written once, and once more when another leader has it in force", async () => {
  const saved: AcceptedPlan[] = [];
  const kept = createKeptPlan({
    load: async () => ({ plan: undefined }),
    save: async (plan) => void saved.push(plan),
  });
  const plan = acceptedPlan("lb1", [], 5);
  await kept.keep(plan);
  await kept.keep({ ...plan });
  assert.deepEqual(
    saved.map(({ epoch }) => epoch),
    [5],
  );
  const next = { ...plan, epoch: 6 };
  assert.equal(kept.isKept(next), false);
  await kept.keep(next);
  assert.deepEqual(
    saved.map(({ epoch }) => epoch),
    [5, 6],
  );
});
