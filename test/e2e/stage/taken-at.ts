// When a host got an address that another one had, as the lab's recorder saw it: what a client sees
// of a takeover ends soon after. Its longest silence tells less, as a busy machine may have kept
// the client itself waiting for longer.

import assert from "node:assert/strict";

import type { Stage } from "./stage.ts";

/** The first time that the host got the address, in monotonic ms. Asserts that it did. */
export function takenAtMs({ recorder }: Stage, address: string, host: string): number {
  const got = recorder
    .history()
    .find((one) => one.address === address && one.host === host && one.event === "added");
  assert.ok(got !== undefined, `${host} never had ${address}`);
  return got.atMs;
}
