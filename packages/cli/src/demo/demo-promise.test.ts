// Whether a step of the demo kept what it promises of its client: a demo that printed failed
// connections ended as well as one without any.

import assert from "node:assert/strict";
import { test } from "node:test";

import type { Try } from "@fairlead/lab";

import { isShortOfAddresses } from "./addresses-story.ts";
import {
  BrokenPromise,
  brokenPromise,
  type DemoPromise,
  keepPromise,
  seenText,
} from "./demo-promise.ts";
import { type ClaimJson, doesRest } from "./demo-status.ts";

const EVERY_MS = 5;

/** Answers all the time, until so many ms. */
function answers(fromMs: number, toMs: number): Try[] {
  return Array.from({ length: (toMs - fromMs) / EVERY_MS }, (_, at) => {
    return { atMs: fromMs + at * EVERY_MS, tookMs: 1, member: "member1" };
  });
}

function failed(atMs: number, tookMs: number): Try {
  return { atMs, tookMs, member: undefined, failure: "ECONNRESET" };
}

const GOOD = [...answers(0, 100), ...answers(100, 2000)];
/** Two that began before the address moved at 99 ms, and ended by that. */
const MOVED = [...answers(0, 90), failed(90, 10), failed(95, 4), ...answers(100, 2000)];
/** One more that began when those had ended already. */
const NOT_SERVED = [...MOVED, failed(150, 1000)];
/** Nobody answers for 300 ms, and connections fail one after the other. */
const TAKEN = [...answers(0, 100), failed(100, 50), failed(200, 50), ...answers(400, 2000)];
const TOO_LONG = [...answers(0, 100), failed(100, 50), ...answers(1200, 2000)];

const CASES: readonly {
  readonly name: string;
  readonly tries: readonly Try[];
  readonly keeps: readonly DemoPromise[];
}[] = [
  { name: "all are answered", tries: GOOD, keeps: ["nothing-ends", "moves-once", "taken-over"] },
  { name: "those of one moment end", tries: MOVED, keeps: ["moves-once", "taken-over"] },
  { name: "one fails that began later", tries: NOT_SERVED, keeps: ["taken-over"] },
  { name: "nobody answers for a third of a second", tries: TAKEN, keeps: ["taken-over"] },
  { name: "nobody answers for more than a second", tries: TOO_LONG, keeps: [] },
  { name: "nobody ever answers", tries: [failed(0, 10)], keeps: [] },
  { name: "nobody ever asks", tries: [], keeps: [] },
];

for (const { name, tries, keeps } of CASES) {
  test(`${name}: ${keeps.length === 0 ? "no promise is kept" : `kept: ${keeps.join(", ")}`}`, () => {
    const all = ["nothing-ends", "moves-once", "taken-over"] as const;
    const kept = all.filter((promise) => brokenPromise(tries, promise) === undefined);
    assert.deepEqual(kept, keeps);
  });
}

test("a broken promise ends the story, with what was done and what was seen", () => {
  keepPromise("fairlead drain lb1", MOVED, "moves-once");
  assert.throws(() => keepPromise("fairlead uncordon lb1", MOVED, "nothing-ends"), {
    message: "fairlead uncordon lb1: 2 of 400 connections failed, and none may",
  });
  assert.throws(() => keepPromise("x", TOO_LONG, "moves-once"), BrokenPromise);
  assert.throws(() => keepPromise("lb1: nginx's master is killed", TOO_LONG, "taken-over"), {
    message:
      /^lb1: nginx's master is killed: the client saw no answer for 1105 ms, and less than 1000 are promised$/,
  });
  assert.equal(seenText(MOVED), "400 connections, 2 failed, longest gap 15 ms");
});

test("a pool is shown as full only where one waits and the other is refused", () => {
  const claim = (name: string, state: string, held = false): ClaimJson => {
    return { name, state, addresses: held ? [{ address: "192.0.2.1", holder: "lb1" }] : [] };
  };
  assert.ok(isShortOfAddresses([claim("late", "pending"), claim("clash", "refused")]));
  assert.ok(!isShortOfAddresses([claim("late", "pending"), claim("clash", "pending")]));
  assert.ok(!isShortOfAddresses([claim("late", "ready", true), claim("clash", "refused")]));
  assert.ok(!isShortOfAddresses([claim("late", "pending"), claim("clash", "refused", true)]));
  assert.ok(!isShortOfAddresses([claim("late", "pending")]));
});

test("an address is quarantined that is neither free nor somebody's", () => {
  const row = (
    state: string,
    owners: readonly string[] = [],
  ): Parameters<typeof doesRest>[0][number] => {
    return { address: "192.0.2.1", state, owners };
  };
  assert.ok(doesRest([row("quarantined")], "192.0.2.1"));
  assert.ok(!doesRest([row("held", ["default/late"])], "192.0.2.1"));
  assert.ok(!doesRest([row("quarantined", ["default/late"])], "192.0.2.1"));
  assert.ok(!doesRest([row("quarantined")], "192.0.2.2"));
  assert.ok(!doesRest([], "192.0.2.1"));
});
