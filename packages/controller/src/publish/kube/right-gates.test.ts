// Who waits for a missing right, on a clock whose timers fire a moment early, as real ones do.

import assert from "node:assert/strict";
import { test } from "node:test";

import { type ClaimId, claimId, present } from "@fairlead/model";
import { type Clock, createFakeClock } from "@fairlead/runtime";

import { createTroubles } from "./publish-trouble.ts";
import { createRightGates, type RightThere } from "./right-gates.ts";

const THERE: RightThere = {
  right: { verb: "patch", resource: "services/status" },
  namespace: "default",
};
const WEB: ClaimId = present(claimId("service", "default", "web"), "a Service has a claim");
/** The longest wait between two tries. */
const AGAIN_MS = 30_000;

test("who waits for a right is called again when the timer fires a moment early", async () => {
  const exact = createFakeClock();
  const clock: Clock = {
    ...exact,
    setTimer: (delayMs, run) => exact.setTimer(delayMs > 1 ? delayMs - 0.5 : delayMs, run),
  };
  let tries = 0;
  const gates = createRightGates({
    clock,
    random: () => 0.5,
    troubles: createTroubles(() => undefined, "writes"),
    onDue: () => tryNow(),
  });
  const tryNow = (): void => {
    if (!gates.enter(THERE, WEB)) return;
    tries += 1;
    gates.failed(THERE, new Error("forbidden"));
    // As after each failed write, it is judged at once and has to wait.
    assert.equal(gates.enter(THERE, WEB), false);
  };
  tryNow();
  for (let made = 1; made < 10; made += 1) {
    await exact.advance(AGAIN_MS);
    assert.ok(tries > made, `${tries} tries after ${made} waits`);
  }
  gates[Symbol.dispose]();
  assert.equal(exact.pendingTimers(), 0);
});
