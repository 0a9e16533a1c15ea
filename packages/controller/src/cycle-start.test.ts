// The loop before its first plan: what it waits for, what it says meanwhile, and that a controller
// which comes back gives everybody what he had.

import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { createFakeClock, createLogger, EdgeError } from "@fairlead/runtime";
import {
  agentHello,
  createMemoryMedium,
  createMemoryStore,
  folderListed,
  makeClaim,
  makeCycleStage,
  makeRevisionOf,
  ROUND_MS,
} from "@fairlead/testkit";

import { createCycle } from "./cycle.ts";
import { createSoleElection } from "./election/sole-election.ts";

const revisionOf = makeRevisionOf();

suite("the start", () => {
  test("plans nothing before the store is open and every source has listed", async () => {
    await using stage = makeCycleStage({ claims: [makeClaim("web")] });
    assert.equal(stage.cycle.view().notReady, "the store is not open");
    await stage.cycle.start();
    assert.equal(stage.delivered.length, 0);
    assert.match(stage.cycle.view().notReady ?? "", /waiting for agents/);
    await stage.clock.advance(ROUND_MS);
    assert.equal(stage.cycle.view().notReady, undefined);
    assert.equal(stage.line("web"), "pending 192.0.2.100 NoAgents");
  });

  test("waits a moment for other agents after the first one's hello", async () => {
    await using stage = makeCycleStage({ claims: [makeClaim("web")] });
    await stage.cycle.start();
    stage.cycle.emit([agentHello("lb-1", 11)]);
    await stage.clock.advance(400);
    stage.cycle.emit([agentHello("lb-2", 12)]);
    await stage.clock.advance(400);
    assert.equal(stage.delivered.length, 0);
    await stage.clock.advance(200);
    assert.equal(stage.delivered.length, 1);
    assert.equal(stage.delivered[0]?.plans.size, 2);
  });

  test("plans at the latest two seconds later, however many agents trickle in", async () => {
    await using stage = makeCycleStage({ claims: [makeClaim("web")] });
    await stage.cycle.start();
    for (let second = 0; second < 7; second += 1) {
      stage.cycle.emit([agentHello(`lb-${second}`, 11 + second)]);
      await stage.clock.advance(300);
    }
    assert.ok(stage.delivered.length > 0);
  });

  test("fails with the store's error, and touches no source then", async () => {
    const error = new EdgeError({ code: "BUSY", message: "taken", retryable: false });
    let started = false;
    const cycle = createCycle({
      clock: createFakeClock(),
      log: createLogger({ level: "silent", format: "text" }),
      settings: { advertIntervalMs: 100, reservedRouterIds: [], staleAfterMs: 60_000 },
      election: createSoleElection("test"),
      store: {
        ...createMemoryStore({ medium: createMemoryMedium() }),
        open: () => Promise.reject(error),
      },
      sources: [
        {
          name: "folder",
          start: () => Promise.resolve(void (started = true)),
          [Symbol.asyncDispose]: () => Promise.resolve(),
        },
      ],
      delivery: { deliver: () => undefined },
      publishers: [],
      revisionOf,
      onFailed: () => assert.fail("it fails by its start"),
      onFenced: () => undefined,
    });
    await assert.rejects(cycle.start(), error);
    assert.equal(started, false);
  });
});

suite("a restarted controller", () => {
  test("gives every Service the address that it had", async () => {
    const medium = createMemoryMedium();
    const [a, b] = [makeClaim("a"), makeClaim("b")];
    {
      await using first = makeCycleStage({ medium, claims: [b] });
      await first.cycle.start();
      await first.clock.advance(ROUND_MS);
      assert.equal(first.line("b"), "pending 192.0.2.100 NoAgents");
    }
    await using second = makeCycleStage({ medium, claims: [a, b] });
    await second.cycle.start();
    await second.clock.advance(ROUND_MS);
    assert.equal(second.line("b"), "pending 192.0.2.100 NoAgents");
    assert.equal(second.line("a"), "pending 192.0.2.101 NoAgents");
    assert.equal(second.cycle.view().epoch, 2);
  });

  test("with an emptied source keeps all leases until a second list agrees", async () => {
    const medium = createMemoryMedium();
    {
      await using first = makeCycleStage({ medium, claims: [makeClaim("web")] });
      await first.cycle.start();
      await first.clock.advance(ROUND_MS);
    }
    await using second = makeCycleStage({ medium, claims: [] });
    await second.cycle.start();
    await second.clock.advance(ROUND_MS);
    const kinds = (): readonly string[] => [...medium.leases.values()].map((row) => row.state.kind);
    assert.deepEqual(kinds(), ["held"]);
    await second.clock.advance(20_000);
    second.say(folderListed([]));
    await second.clock.advance(100);
    assert.deepEqual(kinds(), ["held"]);
    await second.clock.advance(20_000);
    second.say(folderListed([]));
    await second.clock.advance(100);
    assert.deepEqual(kinds(), ["quarantined"]);
  });
});

test("what keeps the first plan away is in the log, once", async () => {
  await using stage = makeCycleStage();
  const { lines } = stage;
  const finding = {
    subject: "source",
    name: "/manifests",
    reason: "SourceUnreadable",
    detail: "it does not exist",
  } as const;
  await stage.cycle.start();
  stage.cycle.emit([{ kind: "finding", source: "folder", finding }]);
  assert.equal(lines.filter((line) => line.includes("it does not exist")).length, 1);
  await stage.clock.advance(ROUND_MS);
  assert.equal(lines.filter((line) => line.includes("it does not exist")).length, 1);
});
