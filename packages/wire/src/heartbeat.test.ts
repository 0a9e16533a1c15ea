// The watch over a stream, on the fake clock.

import assert from "node:assert";
import { test } from "node:test";
import { createFakeClock } from "@fairlead/runtime";
import { createHeartbeat } from "./heartbeat.ts";

function watch(): {
  readonly clock: ReturnType<typeof createFakeClock>;
  readonly heartbeat: ReturnType<typeof createHeartbeat>;
  readonly events: string[];
} {
  const clock = createFakeClock();
  const events: string[] = [];
  const heartbeat = createHeartbeat({
    clock,
    intervalMs: 10_000,
    beat: () => events.push(`beat at ${clock.nowMs()}`),
    onSilence: () => events.push(`silence at ${clock.nowMs()}`),
  });
  return { clock, heartbeat, events };
}

test("a peer that says nothing is given up after three intervals", async () => {
  const { clock, events } = watch();
  await clock.advance(60_000);
  assert.deepEqual(events, ["beat at 10000", "beat at 20000", "silence at 30000"]);
  assert.equal(clock.pendingTimers(), 0);
});

test("a peer that says something now and then stays", async () => {
  const { clock, heartbeat, events } = watch();
  for (let round = 0; round < 10; round += 1) {
    await clock.advance(29_000);
    heartbeat.heard();
  }
  assert.ok(events.every((event) => event.startsWith("beat")));
});

test("whoever speaks anyway needs no heartbeat", async () => {
  const { clock, heartbeat, events } = watch();
  for (let round = 0; round < 10; round += 1) {
    await clock.advance(9_000);
    heartbeat.said();
    heartbeat.heard();
  }
  assert.deepEqual(events, []);
});

test("a watch that is over does nothing", async () => {
  const { clock, heartbeat, events } = watch();
  heartbeat[Symbol.dispose]();
  await clock.advance(60_000);
  assert.deepEqual(events, []);
});

test("a watch whose own beat ends it leaves no timer behind", async () => {
  const clock = createFakeClock();
  const events: string[] = [];
  const heartbeat = createHeartbeat({
    clock,
    intervalMs: 10_000,
    beat: () => {
      events.push("beat");
      heartbeat[Symbol.dispose]();
    },
    onSilence: () => events.push("silence"),
  });
  await clock.advance(60_000);
  assert.deepEqual(events, ["beat"]);
  assert.equal(clock.pendingTimers(), 0);
});
