// Counting generations from start times and titles of workers.

import assert from "node:assert/strict";
import { test } from "node:test";
import { countGenerations, readWorkers } from "./generations.ts";

const serving = (startTicks: number) => ({ pid: startTicks, startTicks, ending: false });
const ending = (startTicks: number) => ({ pid: startTicks, startTicks, ending: true });

const cases = [
  { name: "no worker", workers: [], wanted: 0 },
  { name: "two workers of one generation", workers: [serving(100), serving(101)], wanted: 1 },
  {
    name: "an old generation of two has connections left",
    workers: [ending(100), serving(900), ending(101), serving(901)],
    wanted: 2,
  },
  {
    name: "two old generations, one of them with one worker left",
    workers: [ending(100), ending(300), ending(302), serving(900)],
    wanted: 3,
  },
  {
    name: "a worker that died was replaced: still one generation",
    workers: [serving(100), serving(5000)],
    wanted: 1,
  },
  { name: "only old workers, the new ones not up yet", workers: [ending(100)], wanted: 1 },
] as const;

for (const c of cases) {
  test(`generations alive: ${c.name}`, () => {
    assert.equal(countGenerations(c.workers), c.wanted);
  });
}

test("generations alive: a master that is gone has no workers", async () => {
  assert.deepEqual(await readWorkers(2 ** 22 + 1), []);
});
