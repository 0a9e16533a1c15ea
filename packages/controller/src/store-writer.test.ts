// Writing under an epoch: taken above what agents obeyed, tried again after trouble, and never
// against a controller that took over.

import assert from "node:assert/strict";
import { test } from "node:test";

import type { AgentView } from "@fairlead/model";
import { createLogger } from "@fairlead/runtime";
import {
  createMemoryMedium,
  createMemoryStore,
  makeAgent,
  type MemoryMedium,
} from "@fairlead/testkit";

import type { Store, StoreChange } from "./ports.ts";
import { type StoreWriter, createStoreWriter } from "./store-writer.ts";

interface Stage {
  readonly writer: StoreWriter;
  readonly medium: MemoryMedium;
  readonly fencedBy: number[];
  readonly disk: { isFull: boolean; losesAnswers: boolean };
  /** Commits that the store was asked for. */
  readonly commits: () => number;
}

async function makeStage(): Promise<Stage> {
  const medium = createMemoryMedium();
  const disk = { isFull: false, losesAnswers: false };
  const memory = createMemoryStore({
    medium,
    failing: () => disk.isFull,
    losing: () => disk.losesAnswers,
  });
  let commits = 0;
  const store: Store = {
    ...memory,
    commit: async (...args) => {
      commits += 1;
      return await memory.commit(...args);
    },
  };
  const { epoch } = await store.open();
  const fencedBy: number[] = [];
  const log = createLogger({ level: "silent", format: "text" });
  const onFenced = (by: number): void => void fencedBy.push(by);
  const writer = createStoreWriter({ store, epoch, log, onFenced });
  return { writer, medium, fencedBy, disk, commits: () => commits };
}

function obeying(...epochs: readonly number[]): readonly AgentView[] {
  return epochs.map((epoch, index) => {
    const view = makeAgent(`lb-${index}`);
    return { ...view, hello: { ...view.hello, epoch } };
  });
}

test("agents that obeyed this epoch or an earlier one ask for nothing", async () => {
  const { writer } = await makeStage();
  assert.equal(writer.obeyedAbove(obeying(0, 1)), undefined);
});

test("after its store was lost a controller takes an epoch above the highest, durably", async () => {
  const { writer, medium } = await makeStage();
  assert.equal(writer.obeyedAbove(obeying(7, 41, 3)), 41);
  assert.equal(await writer.outrank(41), "durable");
  assert.deepEqual([writer.epoch, medium.epoch], [42, 42]);
});

test("an epoch that nothing ever had is not followed", async () => {
  const { writer } = await makeStage();
  assert.equal(writer.obeyedAbove(obeying(Number.MAX_SAFE_INTEGER, 7)), 7);
});

test("while the disk is full the old epoch stays, and it can be taken later", async () => {
  const { writer, disk } = await makeStage();
  disk.isFull = true;
  assert.equal(await writer.outrank(41), "failed");
  assert.match(writer.trouble ?? "", /disk is full/);
  assert.equal(writer.epoch, 1);
  disk.isFull = false;
  assert.equal(await writer.outrank(41), "durable");
  assert.deepEqual([writer.trouble, writer.epoch], [undefined, 42]);
});

test("a controller that was replaced does not outrank its successor", async () => {
  const { writer, medium, fencedBy } = await makeStage();
  const { epoch } = await createMemoryStore({ medium }).open();
  assert.equal(await writer.outrank(epoch), "fenced");
  assert.deepEqual([fencedBy, writer.isFenced, medium.epoch], [[epoch], true, epoch]);
});

const FREEZE: StoreChange = {
  kind: "put-intent",
  intent: { id: "freeze", sinceMs: 1, kind: "freeze" },
};

test("what a write without an answer left is put back though nothing else is to be written", async () => {
  const { writer, medium, disk } = await makeStage();
  disk.losesAnswers = true;
  assert.equal(await writer.write([FREEZE]), "failed");
  assert.equal(await writer.write([]), "failed", "it is not known yet what came of it");
  assert.match(writer.trouble ?? "", /nobody answered/);
  disk.losesAnswers = false;
  assert.equal(await writer.write([]), "durable");
  assert.deepEqual([writer.trouble, medium.intents.size], [undefined, 0]);
});

test("while all writes came through the store is asked for nothing without changes", async () => {
  const { writer, disk, commits } = await makeStage();
  assert.equal(await writer.write([]), "durable");
  disk.isFull = true;
  assert.equal(await writer.write([FREEZE]), "failed");
  disk.isFull = false;
  assert.equal(await writer.write([]), "durable");
  const before = commits();
  assert.equal(await writer.write([]), "durable");
  assert.deepEqual([before, commits()], [2, 2]);
});
