// What is known of nginx after each tick, by questions that are answered, refused or left open.

import assert from "node:assert/strict";
import { test } from "node:test";

import { type Silence, createSilence } from "./silence.ts";

interface Stage {
  readonly silence: Silence;
  /** What nginx does while it owes an answer; else it is busy. */
  isAsleep: boolean;
  /** How often the loop was told to hurry. */
  hurries: number;
  readonly open: ((answers: boolean | undefined) => void)[];
  /** So many ticks, each after 100 ms, and what is known after the last. */
  ticks(count: number): Promise<string>;
  /** Answers the oldest open question. */
  answer(answers: boolean | undefined): Promise<void>;
}

/** Of 50 ms. */
const UNITS = 2;

function stage(isAtRest: () => boolean = () => false): Stage {
  const open: ((answers: boolean | undefined) => void)[] = [];
  const silence = createSilence({
    ask: () => {
      const { promise, resolve } = Promise.withResolvers<boolean | undefined>();
      open.push(resolve);
      return promise;
    },
    isAtRest,
    isAsleep: () => self.isAsleep,
    onRefused: () => void (self.hurries += 1),
  });
  const self: Stage = {
    isAsleep: false,
    hurries: 0,
    silence,
    open,
    ticks: async (count) => {
      let known = "";
      for (let tick = 0; tick < count; tick++) known = silence.tick(UNITS);
      await Promise.resolve();
      return known;
    },
    answer: async (answers) => {
      open.shift()?.(answers);
      await Promise.resolve();
      await Promise.resolve();
    },
  };
  return self;
}

test("one that no client depends on is asked once a second, and as ever when that changes", async () => {
  let isAtRest = true;
  const s = stage(() => isAtRest);
  await s.ticks(2);
  assert.equal(s.open.length, 1, "before its first answer");
  await s.answer(true);
  await s.ticks(9);
  assert.equal(s.open.length, 0);
  await s.ticks(1);
  await s.answer(false);
  await s.ticks(2);
  assert.equal(s.open.length, 1, "one that refused is asked again soon");
  await s.answer(true);
  isAtRest = false;
  await s.ticks(2);
  assert.equal(s.open.length, 1);
});

test("one that answers is asked each 200 ms", async () => {
  const s = stage();
  for (let round = 0; round < 5; round++) {
    await s.ticks(2);
    assert.equal(s.open.length, 1);
    await s.answer(true);
  }
  assert.equal(await s.ticks(1), "answers");
});

test("one refusal may be a reload, two in a row are silence, and an answer ends it", async () => {
  const s = stage();
  await s.ticks(2);
  await s.answer(true);
  await s.ticks(2);
  await s.answer(false);
  assert.equal(await s.ticks(2), "unsure");
  await s.answer(false);
  assert.equal(await s.ticks(2), "silent");
  await s.answer(true);
  assert.equal(await s.ticks(1), "answers");
});

test("one that refused is asked again after 100 ms, and its loop is told twice to hurry", async () => {
  const s = stage();
  await s.ticks(2);
  await s.answer(true);
  assert.equal(s.hurries, 0);
  await s.ticks(2);
  await s.answer(false);
  assert.equal(s.hurries, 1);
  await s.ticks(1);
  await s.answer(false);
  assert.equal(await s.ticks(1), "silent");
  assert.equal(s.hurries, 2);
  await s.ticks(1);
  await s.answer(false);
  assert.equal(s.hurries, 2, "that it is silent is known, and may last");
});

test("a question that is open for 400 ms is silence", async () => {
  const s = stage();
  await s.ticks(2);
  await s.answer(true);
  await s.ticks(2);
  assert.equal(await s.ticks(3), "answers");
  assert.equal(await s.ticks(1), "silent");
  assert.equal(s.open.length, 1, "and nothing else is asked meanwhile");
});

test("one that sleeps at two looks while it is asked is silent: it takes nobody in", async () => {
  const s = stage();
  await s.ticks(2);
  await s.answer(true);
  await s.ticks(2);
  s.isAsleep = true;
  assert.equal(await s.ticks(1), "answers", "the answer may have come, and not been read");
  s.isAsleep = false;
  assert.equal(await s.ticks(1), "answers");
  s.isAsleep = true;
  assert.equal(await s.ticks(1), "answers", "it was awake between the two");
  await s.answer(true);
  await s.ticks(2);
  assert.equal(await s.ticks(2), "silent");
  assert.equal(s.silence.isUnsettled, false);
});

test("a loop that was held up itself has ticked once, and takes nothing for silence", async () => {
  const s = stage();
  await s.ticks(2);
  await s.answer(true);
  await s.ticks(2);
  assert.equal(await s.ticks(1), "answers");
});

test("what was asked before it was forgotten says nothing", async () => {
  const s = stage();
  await s.ticks(2);
  await s.answer(true);
  await s.ticks(2);
  s.silence.forget();
  await s.answer(true);
  assert.equal(await s.ticks(1), "unsure");
  assert.equal(s.open.length, 1, "it is asked anew at once");
  await s.answer(true);
  assert.equal(await s.ticks(1), "answers");
});

test("an agent that cannot ask, as it has no descriptor left, knows nothing", async () => {
  const s = stage();
  for (let round = 0; round < 5; round++) {
    await s.ticks(2);
    await s.answer(undefined);
    assert.equal(await s.ticks(1), "unsure");
  }
});

test("it is worth a hurry while a question is overdue or was refused once", async () => {
  const s = stage();
  const isUnsettledAfter = async (answers: boolean): Promise<boolean> => {
    await s.answer(answers);
    return s.silence.isUnsettled;
  };
  s.silence.tick(4);
  assert.equal(s.silence.isUnsettled, false, "it was asked just now");
  s.silence.tick(4);
  assert.equal(s.silence.isUnsettled, true);
  assert.equal(await isUnsettledAfter(true), false);
  s.silence.tick(4);
  assert.equal(await isUnsettledAfter(false), true);
  s.silence.tick(4);
  assert.equal(await isUnsettledAfter(false), false, "it is silent, and that may last");
  s.silence.tick(4);
  s.silence.tick(4);
  s.silence.tick(4);
  assert.equal(s.silence.isUnsettled, false, "silent by a question that nobody answers");
});
