// How a writer of the IPAM's objects ends while somebody waits for it.

import assert from "node:assert/strict";
import { test } from "node:test";

import { createFakeClock, isEdgeError } from "@fairlead/runtime";

import type { KubeClient } from "../../kube/kube-client.ts";
import { KubeError } from "../../kube/kube-errors.ts";
import { createShardWriter, type ShardWriterOptions } from "./shard-writer.ts";

const clock = createFakeClock();
const FLUSH_MS = 30_000;

/** A writer of one row, whose object is not as it was left. */
function writerOf(isCurrent: ShardWriterOptions["isCurrent"]) {
  const conflict = new KubeError({ code: "CONFLICT", message: "it was changed" });
  const client = { request: () => Promise.reject(conflict) } as unknown as KubeClient;
  const writer = createShardWriter({ client, clock, epoch: 1, shards: [], isCurrent });
  writer.take([{ key: "classes/x", value: "1" }]);
  return writer;
}

test("who waits for objects is told at once that another controller has the IPAM", async () => {
  await using writer = writerOf(() => Promise.resolve(false));
  const isFenced = (error: unknown): boolean => isEdgeError(error, "FENCED");
  await assert.rejects(writer.flush(FLUSH_MS), isFenced);
  await assert.rejects(writer.flush(FLUSH_MS), isFenced, "nor is it waited for again");
});

test("a stop waits neither for objects nor for the journal that is looked at", async () => {
  const asked = Promise.withResolvers<void>();
  const writer = writerOf((signal) => {
    asked.resolve();
    return clock.sleep(FLUSH_MS, signal).then(() => true);
  });
  const flushed = assert.rejects(writer.flush(FLUSH_MS), (error) => isEdgeError(error, "CLOSED"));
  await asked.promise;
  await writer[Symbol.asyncDispose]();
  await flushed;
  assert.equal(writer.pending().length, 1, "the journal has it");
  assert.equal(clock.pendingTimers(), 0);
});
