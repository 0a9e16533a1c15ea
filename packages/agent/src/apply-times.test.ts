// How long plans take until they are in force, as the histogram of it is told.

import assert from "node:assert/strict";
import { test } from "node:test";

import { acceptedPlan, webService } from "@fairlead/testkit";

import { type ApplyTimes, createApplyTimes } from "./apply-times.ts";

const PLANS = [acceptedPlan("a", []), acceptedPlan("a", webService()), acceptedPlan("a", [])];

function followed(): { readonly times: ApplyTimes; readonly told: readonly number[] } {
  const times = createApplyTimes();
  const told: number[] = [];
  times.follow((tookMs) => told.push(tookMs));
  return { times, told };
}

test("a pass for the newest plan ends the waiting of those before it, and of none after it", () => {
  const { times, told } = followed();
  const [first, second, third] = PLANS as [never, never, never];
  times.came(first, 100);
  times.came(second, 140);
  times.came(third, 900);
  times.applied(second, 300);
  assert.deepEqual(told, [200, 160]);
  times.applied(second, 350);
  assert.equal(told.length, 2, "a pass that comes again for the same plan says nothing");
  times.applied(third, 1300);
  assert.deepEqual(told, [200, 160, 400]);
});

test("a plan from the disk came from nobody", () => {
  const { times, told } = followed();
  const [kept, next] = PLANS as [never, never];
  times.applied(kept, 100);
  times.came(next, 200);
  times.applied(kept, 300);
  assert.deepEqual(told, []);
});

test("while nginx reloads for minutes the longest waits are kept", () => {
  const { times, told } = followed();
  const plans = Array.from({ length: 5000 }, () => acceptedPlan("a", []));
  for (const [at, plan] of plans.entries()) times.came(plan, at * 40);
  times.applied(plans.at(-1) as never, 300_000);
  assert.equal(told.length, 1000);
  assert.equal(told[0], 300_000);
});
