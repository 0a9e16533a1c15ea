// Generations from start times and titles of workers, and which of them are too many.

import assert from "node:assert/strict";
import { test } from "node:test";
import { beyondBound, groupGenerations, livingGenerations } from "./generations.ts";
import { readWorkers } from "./workers.ts";

const worker = { memoryBytes: 1000 } as const;
const serving = (startTicks: number) => ({ ...worker, pid: startTicks, startTicks, ending: false });
const ending = (startTicks: number) => ({ ...worker, pid: startTicks, startTicks, ending: true });

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
    assert.equal(groupGenerations(c.workers).length, c.wanted);
  });
}

test("generations alive: a master that is gone has no workers", async () => {
  assert.deepEqual(readWorkers(2 ** 22 + 1), []);
});

test("generations alive: each is said with its workers, its memory and its age", () => {
  const workers = [ending(100), ending(300), ending(302), serving(900), serving(901)];
  assert.deepEqual(livingGenerations(workers, 1000), [
    { isServing: true, workers: 2, memoryBytes: 2000, ageMs: 1000 },
    { isServing: false, workers: 2, memoryBytes: 2000, ageMs: 7000 },
    { isServing: false, workers: 1, memoryBytes: 1000, ageMs: 9000 },
  ]);
});

const bounds = [
  { name: "as many as may live", max: 3, wanted: [] },
  { name: "one too many: the oldest goes, all of it", max: 2, wanted: [100, 101] },
  { name: "never the serving one", max: 1, wanted: [300, 100, 101] },
  { name: "not one that was replaced a moment ago", max: 1, keptMs: 3000, wanted: [100, 101] },
  { name: "not yet, as all were replaced a moment ago", max: 1, keptMs: 9000, wanted: [] },
] as const;

for (const { name, wanted, max, ...rest } of bounds) {
  test(`the bound of generations: ${name}`, () => {
    const workers = [serving(900), ending(100), ending(300), ending(101), serving(901)];
    const bound = { max, keptMs: 0, ...rest };
    const pids = beyondBound(workers, bound, 1100).map(({ pid }) => pid);
    assert.deepEqual(new Set(pids), new Set(wanted));
  });
}

test("the bound of generations: of four times as many none is kept", () => {
  const workers = [serving(900), ...[800, 700, 600, 500, 400, 300, 200, 100].map(ending)];
  const pids = beyondBound(workers, { max: 2, keptMs: 60_000 }, 900).map(({ pid }) => pid);
  assert.deepEqual(pids, [100]);
});
