// The store in memory keeps the contract of the real ones, and fails when it is told to.

import assert from "node:assert/strict";
import { test } from "node:test";

import { isEdgeError } from "@fairlead/runtime";

import { type StoreMedium, testStoreContract } from "../store-contract.ts";
import { makeLease } from "../store-samples.ts";
import { createMemoryMedium, createMemoryStore, failingBySeed } from "./memory-store.ts";

testStoreContract("the store in memory", async (): Promise<StoreMedium> => {
  await Promise.resolve();
  const medium = createMemoryMedium();
  let isLosing = false;
  return {
    store: () => createMemoryStore({ medium, losing: () => isLosing }),
    fail: () => {
      isLosing = true;
      return { [Symbol.dispose]: () => void (isLosing = false) };
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
});

test("a second opening fences the first", async () => {
  const medium = createMemoryMedium();
  const first = createMemoryStore({ medium });
  const { epoch } = await first.open();
  await createMemoryStore({ medium }).open();
  assert.deepEqual(await first.commit(epoch, []), { kind: "fenced", epoch: 2 });
});

test("commits fail as often as asked, the same ones for the same seed", async () => {
  const run = async (seed: number): Promise<string> => {
    const store = createMemoryStore({
      medium: createMemoryMedium(),
      failing: failingBySeed(seed, 0.3),
    });
    const { epoch } = await store.open();
    let history = "";
    for (let round = 0; round < 200; round += 1) {
      const changes = [{ kind: "put-lease", lease: makeLease(1) } as const];
      const outcome = store.commit(epoch, changes).then(
        () => ".",
        (error: unknown) => (isEdgeError(error, "NO_SPACE") ? "x" : "?"),
      );
      history += await outcome;
    }
    return history;
  };
  const history = await run(7);
  assert.equal(history, await run(7));
  assert.notEqual(history, await run(8));
  const failures = history.split("x").length - 1;
  assert.ok(failures > 40 && failures < 80, `${failures} of 200`);
});
