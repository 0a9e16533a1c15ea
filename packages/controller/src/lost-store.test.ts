// The loop over a store that has lost what is published, while that store cannot be written: the
// source and the agent are played by hand, on the fake clock.

import assert from "node:assert/strict";
import { test } from "node:test";

import { type Claim, type NodePlan, vipName } from "@fairlead/model";
import { createFakeClock, createLogger } from "@fairlead/runtime";
import {
  address,
  createMemoryMedium,
  createMemoryStore,
  makeAgent,
  makeClaim,
  makePool,
  makeRevisionOf,
} from "@fairlead/testkit";

import { createCycle } from "./cycle.ts";
import { createSoleElection } from "./election/sole-election.ts";
import type { Source } from "./ports.ts";

const POOL = makePool("lan", "192.0.2.100-192.0.2.102");
const WEB = { ...makeClaim("web"), statusAddresses: [address("192.0.2.100")] };
/** Longer than a first plan waits over a lost store. */
const WAIT_MS = 20_000;

test("agents keep what a store has lost while that cannot be written", async () => {
  const clock = createFakeClock();
  const disk = { isFull: false };
  const sent: NodePlan[] = [];
  await using cycle = createCycle({
    clock,
    log: createLogger({ level: "silent", format: "text" }),
    settings: { advertIntervalMs: 100, reservedRouterIds: [], staleAfterMs: 60_000 },
    election: createSoleElection("test"),
    store: createMemoryStore({ medium: createMemoryMedium(), failing: () => disk.isFull }),
    sources: [sourceOf(WEB)],
    delivery: { deliver: ({ plans }) => void sent.push(...plans.values()) },
    publishers: [],
    revisionOf: makeRevisionOf(),
    onFenced: () => assert.fail("it leads alone"),
    onFailed: (error) => assert.fail(error),
  });
  await cycle.start();
  disk.isFull = true;
  cycle.emit([{ kind: "agent-hello", atMs: 0, hello: makeAgent("a").hello }]);
  await clock.advance(WAIT_MS);
  assert.match(cycle.view().notReady ?? "", /the disk is full/);
  assert.equal(sent.length, 0, "a plan without the address takes it from the agent");
  disk.isFull = false;
  await clock.advance(WAIT_MS);
  assert.ok(sent.every(({ resources }) => resources.has(vipName(address("192.0.2.100")))));
  assert.notEqual(sent.length, 0);
});

/** Shows the pool and one claim. */
function sourceOf(claim: Claim): Source {
  return {
    name: "folder",
    start: async (emit) => {
      await Promise.resolve();
      const source = "folder";
      emit([
        { kind: "pool-seen", source, pool: POOL },
        { kind: "claim-seen", source, claim },
        {
          kind: "source-listed",
          source,
          atMs: 0,
          claims: new Set([claim.id]),
          pools: new Set([POOL.name]),
        },
      ]);
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}
