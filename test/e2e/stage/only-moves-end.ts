// What a client of an address that is moved on purpose may notice: connections that were under way
// end with the move, and nothing else fails. Given the stage and what a probe of the address saw.

import assert from "node:assert/strict";

import type { ProbeResult, Try } from "@fairlead/lab";

import { failedNew } from "./failed-new.ts";
import type { Stage } from "./stage.ts";

/** A change of holders is known within this time, in ms; machines are busy. */
const NEAR_MS = 1000;

/** No new connection failed, and none at all while nothing moved. */
export function onlyMovesEnd(
  { recorder }: Stage,
  address: string,
  { allTries }: Pick<ProbeResult, "allTries">,
): void {
  let failed = allTries.filter(({ member }) => member === undefined);
  const changes = recorder
    .history()
    .filter((one) => one.address === address && one.event === "added");
  // One that waited long for the end of one move is none of the next, which may come soon.
  for (const { atMs } of changes) {
    const near = failed.filter((one) => isNear(one, atMs));
    assert.deepEqual(failedNew(near), [], "new connections failed");
    failed = failed.filter((one) => !near.includes(one));
  }
  assert.deepEqual(failed, [], "connections fail while nothing moves");
}

/** Whether the try was under way about that time: the recorder hears of changes a bit later. */
function isNear({ atMs, tookMs }: Try, changedMs: number): boolean {
  return atMs < changedMs + NEAR_MS && atMs + tookMs > changedMs - NEAR_MS;
}
