// Ages of states, as tables show them.

import assert from "node:assert/strict";
import { test } from "node:test";

import { type Verdict, type VerdictState } from "@fairlead/model";
import { makeClaim } from "@fairlead/testkit";

import { NO_VERDICTS, trackVerdicts } from "./verdict-times.ts";

const { id } = makeClaim("web");

function judged(state: VerdictState): ReadonlyMap<Verdict["claim"], Verdict> {
  const rest = { uid: "u", generation: 1, addresses: [], conditions: [], remarks: [] };
  return new Map([[id, { claim: id, state, ...rest }]]);
}

test("a state is as old as its first verdict", () => {
  let timed = NO_VERDICTS;
  const sinceOf = (state: VerdictState, nowMs: number): number | undefined => {
    timed = trackVerdicts(timed, judged(state), nowMs);
    return timed.times.get(id)?.sinceMs;
  };
  assert.equal(sinceOf("pending", 1), 1);
  assert.equal(sinceOf("pending", 2), 1);
  assert.equal(sinceOf("ready", 3), 3);
  assert.equal(sinceOf("ready", 9), 3);
  assert.equal(sinceOf("pending", 10), 10);
});

test("a claim that is gone is forgotten", () => {
  const timed = trackVerdicts(NO_VERDICTS, judged("ready"), 1);
  assert.equal(trackVerdicts(timed, new Map(), 2).times.size, 0);
});
