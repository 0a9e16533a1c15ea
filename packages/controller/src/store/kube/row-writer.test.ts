// How a writer of rows ends: what the server may have of it, and for how long it is waited for.

import assert from "node:assert/strict";
import { test } from "node:test";

import { createFakeClock, type FakeClock } from "@fairlead/runtime";
import { makeLease } from "@fairlead/testkit";

import type { KubeClient } from "../../kube/kube-client.ts";
import { KubeError } from "../../kube/kube-errors.ts";
import { createRowWriter, type RowWriter } from "./row-writer.ts";

/** A writer whose one write is under way, and the server's word on it. */
function stageOf(): {
  readonly clock: FakeClock;
  readonly writer: RowWriter;
  readonly answer: () => void;
  readonly isGivenUp: () => boolean;
} {
  const clock = createFakeClock();
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  let isGivenUp = false;
  const request: KubeClient["request"] = (_, signal) => {
    signal?.addEventListener("abort", () => {
      isGivenUp = true;
      reject(new Error("given up"));
    });
    return promise;
  };
  const client = { request } as KubeClient;
  const isCurrent = (): Promise<boolean> => Promise.resolve(true);
  const writer = createRowWriter({ client, clock, epoch: () => 1, versions: new Map(), isCurrent });
  writer.take([{ kind: "put-lease", lease: makeLease(1) }]);
  return { clock, writer, answer: () => resolve({}), isGivenUp: () => isGivenUp };
}

test("a write that is under way when its writer ends has landed before the end", async () => {
  const { clock, writer, answer, isGivenUp } = stageOf();
  const ended = writer[Symbol.asyncDispose]();
  await clock.advance(900);
  answer();
  await ended;
  assert.equal(isGivenUp(), false);
  assert.deepEqual(writer.pending(), []);
});

test("a journal that is looked at holds the end up for a second too, and not until it answers", async () => {
  const clock = createFakeClock();
  const conflict = new KubeError({ code: "CONFLICT", message: "it was changed" });
  const client = { request: () => Promise.reject(conflict) } as unknown as KubeClient;
  const asked = Promise.withResolvers<void>();
  const isCurrent = (signal: AbortSignal): Promise<boolean> => {
    asked.resolve();
    return clock.sleep(30_000, signal).then(() => true);
  };
  const writer = createRowWriter({ client, clock, epoch: () => 1, versions: new Map(), isCurrent });
  writer.take([{ kind: "put-lease", lease: makeLease(1) }]);
  await asked.promise;
  const ended = writer[Symbol.asyncDispose]();
  await clock.advance(1000);
  await ended;
  assert.equal(writer.pending().length, 1);
});

test("a server that is silent holds the end up for a second, and the journal has the rest", async () => {
  const { clock, writer, isGivenUp } = stageOf();
  const ended = writer[Symbol.asyncDispose]();
  await clock.advance(1000);
  await ended;
  assert.equal(isGivenUp(), true);
  assert.equal(writer.pending().length, 1);
});
