// A program that is asked to end, with an emitter in place of the process.

import assert from "node:assert";
import { EventEmitter } from "node:events";
import { test } from "node:test";
import { createFakeClock } from "./fake-clock.ts";
import { createLifecycle, type Lifecycle } from "./lifecycle.ts";
import { runUntilStopped } from "./signals.ts";

interface Stage {
  readonly process: EventEmitter;
  readonly lifecycle: Lifecycle;
  readonly stopped: string[];
}

function createStage(): Stage {
  const stopped: string[] = [];
  const onStopError = (part: string): number => stopped.push(`${part} failed to stop`);
  const lifecycle = createLifecycle({ clock: createFakeClock(), stopMs: 1_000, onStopError });
  return { process: new EventEmitter(), lifecycle, stopped };
}

async function startStore(stage: Stage): Promise<void> {
  await stage.lifecycle.start("store", () => ({
    [Symbol.dispose]: () => void stage.stopped.push("store"),
  }));
}

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"] as const) {
  test(`${signal} stops everything and is named`, async () => {
    const stage = createStage();
    const running = runUntilStopped({ ...stage, start: () => startStore(stage) });
    await new Promise(setImmediate);
    stage.process.emit(signal, signal);
    assert.deepEqual(await running, { kind: "signal", signal });
    assert.deepEqual(stage.stopped, ["store"]);
    assert.equal(stage.process.listenerCount(signal), 0);
  });
}

test("after the first signal a second one is left to its default", async () => {
  const stage = createStage();
  const running = runUntilStopped({ ...stage, start: () => startStore(stage) });
  stage.process.emit("SIGINT", "SIGINT");
  assert.equal(stage.process.listenerCount("SIGINT"), 0);
  await running;
});

test("a start that fails stops what had started and gives the error", async () => {
  const stage = createStage();
  const cause = await runUntilStopped({
    ...stage,
    start: async () => {
      await startStore(stage);
      throw new Error("port taken");
    },
  });
  assert(cause.kind === "failed");
  assert.match(String(cause.error), /port taken/u);
  assert.deepEqual(stage.stopped, ["store"]);
});

test("a part that fails later ends the program", async () => {
  const stage = createStage();
  const running = runUntilStopped({ ...stage, start: () => startStore(stage) });
  await new Promise(setImmediate);
  stage.lifecycle.fail(new Error("lease lost"));
  assert.equal((await running).kind, "failed");
  assert.deepEqual(stage.stopped, ["store"]);
});

test("a signal during a start that hangs is obeyed", async () => {
  const stage = createStage();
  const running = runUntilStopped({ ...stage, start: () => new Promise(() => undefined) });
  stage.process.emit("SIGINT", "SIGINT");
  assert.deepEqual(await running, { kind: "signal", signal: "SIGINT" });
});
