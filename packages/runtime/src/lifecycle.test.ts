// Starting and stopping the parts of a program.

import assert from "node:assert";
import { test } from "node:test";
import { isEdgeError } from "./errors.ts";
import { createFakeClock } from "./fake-clock.ts";
import { createLifecycle, type Lifecycle } from "./lifecycle.ts";

interface Stage {
  readonly lifecycle: Lifecycle;
  readonly events: string[];
  readonly part: (name: string) => AsyncDisposable;
  readonly clock: ReturnType<typeof createFakeClock>;
}

function createStage(): Stage {
  const events: string[] = [];
  const clock = createFakeClock();
  const lifecycle = createLifecycle({
    clock,
    stopMs: 1_000,
    onStopError: (part, error) => events.push(`${part}: ${String(error)}`),
  });
  const part = (name: string): AsyncDisposable => ({
    [Symbol.asyncDispose]: async () => void events.push(`stop ${name}`),
  });
  return { lifecycle, events, part, clock };
}

test("parts stop in the reverse of the order in which they started", async () => {
  const { lifecycle, events, part } = createStage();
  await lifecycle.start("store", () => part("store"));
  await lifecycle.start("loop", async () => part("loop"));
  await lifecycle.start("timer", () => ({
    [Symbol.dispose]: () => void events.push("stop timer"),
  }));
  assert.equal(lifecycle.signal.aborted, false);
  await lifecycle.stop();
  assert.equal(lifecycle.signal.aborted, true);
  assert.deepEqual(events, ["stop timer", "stop loop", "stop store"]);
  await lifecycle.stop();
  assert.equal(events.length, 3);
});

test("a part that cannot start leaves those before it to be stopped", async () => {
  const { lifecycle, events, part } = createStage();
  const starting = async (): Promise<void> => {
    await using _ = lifecycle;
    await lifecycle.start("store", () => part("store"));
    await lifecycle.start("server", () => Promise.reject(new Error("port taken")));
  };
  await assert.rejects(starting(), /port taken/u);
  assert.deepEqual(events, ["stop store"]);
});

test("a part that hangs or fails does not keep the others from stopping", async () => {
  const { lifecycle, events, part, clock } = createStage();
  await lifecycle.start("store", () => part("store"));
  const hanging = { [Symbol.asyncDispose]: () => new Promise<void>(() => undefined) };
  await lifecycle.start("loop", () => hanging);
  const failing = { [Symbol.asyncDispose]: () => Promise.reject(new Error("no")) };
  await lifecycle.start("server", () => failing);
  const stopping = lifecycle.stop();
  await clock.advance(1_000);
  await stopping;
  assert.deepEqual(events, [
    "server: Error: no",
    "loop: EdgeError: stopping loop took longer than 1000 ms",
    "stop store",
  ]);
});

test("nothing starts once stopping began, and a part that was on its way is stopped", async () => {
  const { lifecycle, events, part } = createStage();
  const { promise, resolve } = Promise.withResolvers<AsyncDisposable>();
  const slow = lifecycle.start("slow", () => promise);
  const rejected = assert.rejects(slow, (error) => isEdgeError(error, "STOPPING"));
  await lifecycle.stop();
  resolve(part("slow"));
  await rejected;
  assert.deepEqual(events, ["stop slow"]);
  await assert.rejects(
    lifecycle.start("late", () => part("late")),
    /program is stopping/u,
  );
  assert.deepEqual(events, ["stop slow"]);
});

test("the first failure of a part is the one that counts", async () => {
  const { lifecycle } = createStage();
  lifecycle.fail(new Error("store lost"));
  lifecycle.fail(new Error("then this"));
  assert.match(String(await lifecycle.failed()), /store lost/u);
});
