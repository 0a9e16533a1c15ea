// When what a start left behind is collected, and when it is left to V8.

import assert from "node:assert";
import { test } from "node:test";
import { collectAfterStart } from "./collect-after-start.ts";
import { createFakeClock } from "./fake-clock.ts";

const MB = 1024 * 1024;

async function collectionsWith(heapMb: number, endsMs?: number): Promise<number> {
  const clock = createFakeClock();
  let times = 0;
  const collect = (): void => void (times += 1);
  const started = collectAfterStart(clock, { collect, heapUsed: () => heapMb * MB });
  if (endsMs !== undefined) {
    await clock.advance(endsMs);
    started[Symbol.dispose]();
  }
  await clock.advance(600_000);
  return times;
}

test("what a start left behind is collected once", async () => {
  assert.equal(await collectionsWith(40), 1);
});

test("a large heap is left alone: to go through it would hold up everything else", async () => {
  assert.equal(await collectionsWith(200), 0);
});

test("a program that has ended by then collects nothing", async () => {
  assert.equal(await collectionsWith(40, 1000), 0);
});

test("a program without descriptors once ended as it wanted to know how large its heap is", async (t) => {
  t.mock.method(process, "memoryUsage", () => {
    throw new Error("EMFILE: too many open files, uv_resident_set_memory");
  });
  const clock = createFakeClock();
  let times = 0;
  collectAfterStart(clock, { collect: () => void (times += 1) });
  await clock.advance(600_000);
  assert.equal(times, 1);
});

test("without the flag that shows the collector nothing is set in motion", () => {
  const clock = createFakeClock();
  collectAfterStart(clock)[Symbol.dispose]();
  assert.equal(clock.pendingTimers(), 0);
});
