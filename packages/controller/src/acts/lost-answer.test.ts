// An act whose write landed while its answer was lost: the operator was told that nothing was done,
// so that has to be true. The loop with a store in memory, on the fake clock.

import assert from "node:assert/strict";
import { test } from "node:test";

import { createFakeClock, createLogger } from "@fairlead/runtime";
import { createMemoryMedium, createMemoryStore, makeRevisionOf } from "@fairlead/testkit";

import { createCycle } from "../cycle.ts";
import { createSoleElection } from "../election/sole-election.ts";
import type { Source } from "../ports.ts";

/** Longer than a first plan waits, and than a write that failed is left alone. */
const LATER_MS = 2100;

const EMPTY: Source = {
  name: "folder",
  start: (emit) => {
    const nothing = { claims: new Set<never>(), pools: new Set<never>() };
    emit([{ kind: "source-listed", source: "folder", atMs: 0, ...nothing }]);
    return Promise.resolve();
  },
  [Symbol.asyncDispose]: () => Promise.resolve(),
};

test("a freeze that was answered as not done does not come with the next controller", async () => {
  const clock = createFakeClock();
  const medium = createMemoryMedium();
  let isLosing = false;
  {
    await using cycle = createCycle({
      clock,
      log: createLogger({ level: "silent", format: "text" }),
      settings: { advertIntervalMs: 100, reservedRouterIds: [], staleAfterMs: 60_000 },
      election: createSoleElection("test"),
      store: createMemoryStore({ medium, losing: () => isLosing }),
      sources: [EMPTY],
      delivery: { deliver: () => undefined },
      publishers: [],
      revisionOf: makeRevisionOf(),
      onFenced: (epoch) => assert.fail(`fenced by ${epoch}`),
      onFailed: (error) => assert.fail(error),
    });
    await cycle.start();
    await clock.advance(LATER_MS);
    await cycle.settled();
    isLosing = true;
    const asked = cycle.act({ kind: "freeze" });
    await clock.advance(LATER_MS);
    const answer = await asked;
    assert.equal(answer.kind, "failed");
    assert.match(answer.why.join(), /^nothing was done: .*nobody answered/);
    assert.match(cycle.view().notReady ?? "", /nobody answered/);
    isLosing = false;
    await clock.advance(LATER_MS);
    await cycle.settled();
    assert.equal(cycle.view().notReady, undefined);
  }
  const { intents } = await createMemoryStore({ medium }).open();
  assert.deepEqual(intents, []);
});
