// The pace of planning and of reloads, on the fake clock.

import assert from "node:assert";
import { test } from "node:test";
import { createFakeClock, type FakeClock } from "./fake-clock.ts";
import { createPace, type Pace, type PaceOptions } from "./pace.ts";

interface Stage extends AsyncDisposable {
  readonly clock: FakeClock;
  readonly pace: Pace;
  /** When each run started, in ms. */
  readonly runs: readonly number[];
  readonly errors: readonly unknown[];
}

type Shape = Partial<Omit<PaceOptions, "clock" | "onError">>;

function createStage(shape: Shape): Stage {
  const clock = createFakeClock();
  const runs: number[] = [];
  const errors: unknown[] = [];
  const pace = createPace({
    quietMs: 50,
    maxWaitMs: 200,
    ...shape,
    clock,
    run: async () => {
      runs.push(clock.nowMs());
      await shape.run?.();
    },
    onError: (error) => errors.push(error),
  });
  return { clock, pace, runs, errors, [Symbol.asyncDispose]: () => pace[Symbol.asyncDispose]() };
}

async function pokeEvery(stage: Stage, gapMs: number, untilMs: number): Promise<void> {
  while (stage.clock.nowMs() <= untilMs) {
    stage.pace.poke();
    await stage.clock.advance(gapMs);
  }
}

test("a burst of changes costs one run, after it has gone quiet", async () => {
  await using stage = createStage({});
  await pokeEvery(stage, 10, 40);
  await stage.clock.advance(500);
  assert.deepEqual(stage.runs, [90]);
});

test("changes that never stop are served at the maximum wait", async () => {
  await using stage = createStage({});
  await pokeEvery(stage, 10, 450);
  await stage.clock.advance(500);
  assert.deepEqual(stage.runs, [200, 400, 500]);
});

test("with the leading edge the first change after rest is served at once", async () => {
  await using stage = createStage({ leading: true });
  await stage.clock.advance(1_000);
  stage.pace.poke();
  await stage.clock.advance(10);
  stage.pace.poke();
  await stage.clock.advance(500);
  stage.pace.poke();
  await stage.clock.advance(10);
  assert.deepEqual(stage.runs, [1_000, 1_060, 1_510]);
});

test("reloads come at once and then at most one a second", async () => {
  await using stage = createStage({ leading: true, quietMs: 0, maxWaitMs: 0, gapMs: 1_000 });
  await pokeEvery(stage, 100, 2_450);
  await stage.clock.advance(5_000);
  assert.deepEqual(stage.runs, [0, 1_000, 2_000, 3_000]);
});

test("a poke during a run gets a run of its own, never two at once", async () => {
  const clock = createFakeClock();
  let active = 0;
  let runs = 0;
  await using pace = createPace({
    clock,
    quietMs: 10,
    maxWaitMs: 10,
    run: async () => {
      active += 1;
      runs += 1;
      assert.equal(active, 1);
      await clock.sleep(100);
      active -= 1;
    },
    onError: (error) => assert.fail(String(error)),
  });
  pace.poke();
  await clock.advance(50);
  const sequence = pace.poke();
  const done = pace.done(sequence);
  assert.equal(pace.isIdle(), false);
  await clock.advance(60);
  assert.equal(runs, 2);
  await clock.advance(200);
  await done;
  assert.equal(pace.isIdle(), true);
});

test("a test can wait until everything asked for is done", async () => {
  await using stage = createStage({});
  await stage.pace.done();
  const sequence = stage.pace.poke();
  const done = stage.pace.done(sequence);
  await stage.clock.advance(50);
  await done;
  await stage.pace.done(sequence);
  assert.deepEqual(stage.runs, [50]);
});

test("a run that fails is reported, and the next change is served all the same", async () => {
  await using stage = createStage({ run: () => Promise.reject(new Error("disk full")) });
  stage.pace.poke();
  const done = stage.pace.done();
  await stage.clock.advance(100);
  await done;
  stage.pace.poke();
  await stage.clock.advance(100);
  assert.equal(stage.runs.length, 2);
  assert.equal(stage.errors.length, 2);
});

test("a run that throws at once does not jam the pace", async () => {
  const clock = createFakeClock();
  let runs = 0;
  await using pace = createPace({
    clock,
    quietMs: 10,
    maxWaitMs: 10,
    run: () => {
      runs += 1;
      throw new Error("bad plan");
    },
    onError: () => undefined,
  });
  for (let round = 0; round < 3; round += 1) {
    const done = pace.done(pace.poke());
    await clock.advance(20);
    await done;
  }
  assert.equal(runs, 3);
  assert.equal(pace.isIdle(), true);
});

test("of the times named to poke at, the last one counts, and none after the end", async () => {
  const { pace, clock, runs } = createStage({});
  pace.pokeIn(1000);
  pace.pokeIn(3000);
  assert.equal(pace.isPokeDue(), true);
  await clock.advance(2000);
  assert.deepEqual(runs, []);
  await clock.advance(1050);
  assert.equal(runs.length, 1);
  assert.equal(pace.isPokeDue(), false);
  for (const never of [undefined, Number.POSITIVE_INFINITY]) {
    pace.pokeIn(10);
    pace.pokeIn(never);
    assert.equal(clock.pendingTimers(), 0);
  }
  pace.pokeIn(10);
  await pace[Symbol.asyncDispose]();
  pace.pokeIn(10);
  assert.equal(clock.pendingTimers(), 0);
});

test("a stopped pace runs no more and tells those who wait", async () => {
  const stage = createStage({});
  stage.pace.poke();
  const done = stage.pace.done();
  const rejected = assert.rejects(done, /stopped/u);
  await stage.pace[Symbol.asyncDispose]();
  await rejected;
  stage.pace.poke();
  await stage.clock.advance(1_000);
  assert.deepEqual(stage.runs, []);
  await assert.rejects(stage.pace.done(), /stopped/u);
  assert.equal(stage.clock.pendingTimers(), 0);
});

test("stopping waits for the run under way", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const stage = createStage({ run: () => promise });
  stage.pace.poke();
  await stage.clock.advance(50);
  let stopped = false;
  const stopping = stage.pace[Symbol.asyncDispose]().then(() => {
    stopped = true;
  });
  await stage.clock.settle();
  assert.equal(stopped, false);
  resolve();
  await stopping;
});
