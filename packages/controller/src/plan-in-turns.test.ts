// A plan of many claims lets others have the loop, and is made by what was so when it was begun.

import assert from "node:assert/strict";
import { setImmediate } from "node:timers";
import { test } from "node:test";

import { makeAgent, makeClaim, makePool, makeWorld } from "@fairlead/testkit";
import { plan } from "@fairlead/planner";
import { createRevisions } from "@fairlead/wire";

import { createPlanInTurns } from "./plan-in-turns.ts";

const WORLD = makeWorld({
  claims: Array.from({ length: 1000 }, (_, at) => makeClaim(`svc-${at}`)),
  agents: [makeAgent("lb-1", { prefixes: ["10.0.0.11/8"] })],
  pools: [makePool("default", "10.64.0.0/16")],
});
const TURNS_MIN = 10;

test("others have the loop while a thousand claims are planned, and the plan is the same", async () => {
  const { revisionOf } = createRevisions();
  let turns = 0;
  let isOver = false;
  const count = (): void => {
    if (isOver) return;
    turns += 1;
    setImmediate(count);
  };
  const delivery = { deliver: () => undefined };
  const planned = createPlanInTurns({ delivery, revisionOf })(WORLD);
  setImmediate(count);
  assert.deepEqual(await planned, plan(WORLD, { revisionOf }));
  isOver = true;
  assert.ok(turns >= TURNS_MIN, `${turns} turns`);
});

test("what had been sent is asked once, at the beginning", async () => {
  const { revisionOf } = createRevisions();
  const asked: string[] = [];
  const delivery = {
    deliver: () => undefined,
    sentByNow: () => {
      asked.push("sent");
      return () => false;
    },
  };
  const planned = createPlanInTurns({ delivery, revisionOf })(WORLD);
  assert.deepEqual(asked, ["sent"]);
  await planned;
  assert.deepEqual(asked, ["sent"]);
});
