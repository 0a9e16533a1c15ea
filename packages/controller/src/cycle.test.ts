// The loop while all is well, and its publishers: from a Service that is shown to one that is
// published. A store in memory, sources and agents played by hand, on the fake clock.

import assert from "node:assert/strict";
import { suite, test } from "node:test";

import type { Plan } from "@fairlead/model";
import { EdgeError } from "@fairlead/runtime";
import {
  agentHello,
  claimGone,
  claimSeen,
  folderListed,
  makeClaim,
  makeCycleStage,
  ROUND_MS,
} from "@fairlead/testkit";

import type { Publisher } from "./ports.ts";

suite("one turn of the ring", () => {
  test("a Service is leased, stored, sent, proved and published", async () => {
    await using stage = makeCycleStage({ claims: [makeClaim("web")] });
    await stage.cycle.start();
    stage.cycle.emit([agentHello("a", 11)]);
    await stage.clock.advance(ROUND_MS);
    assert.equal(stage.line("web"), "pending 192.0.2.100 WaitingForAgent");
    assert.deepEqual(
      [...stage.medium.leases.values()].map(({ sentTo }) => sentTo),
      [["a"]],
    );
    stage.cycle.emit([stage.proof("a")]);
    await stage.clock.advance(100);
    assert.equal(stage.line("web"), "ready 192.0.2.100");
    const verdicts = [...(stage.published.at(-1)?.verdicts.values() ?? [])];
    assert.equal(verdicts[0]?.addresses[0]?.published, true);
    assert.equal([...stage.medium.leases.values()][0]?.published, true);
  });

  test("a burst of changes makes one plan", async () => {
    await using stage = makeCycleStage();
    await stage.cycle.start();
    await stage.clock.advance(ROUND_MS);
    const before = stage.cycle.view().cycles;
    for (let index = 0; index < 3; index += 1) {
      stage.say(claimSeen(makeClaim(`web-${index}`)));
      await stage.clock.advance(1);
    }
    await stage.clock.advance(100);
    assert.equal(stage.cycle.view().cycles, before + 1);
  });

  test("nothing happens while nothing changes", async () => {
    await using stage = makeCycleStage({ claims: [makeClaim("web")] });
    await stage.cycle.start();
    stage.cycle.emit([agentHello("a", 11)]);
    await stage.clock.advance(ROUND_MS);
    // The second proof is of the plan that follows from the first: the lane is settled by then.
    for (let round = 0; round < 2; round += 1) {
      stage.cycle.emit([stage.proof("a")]);
      await stage.clock.advance(1000);
    }
    const { cycles } = stage.cycle.view();
    const rows = structuredClone(stage.medium.leases);
    for (let round = 0; round < 60; round += 1) {
      stage.say(folderListed([makeClaim("web")]), claimSeen(makeClaim("web")));
      stage.cycle.emit([stage.proof("a")]);
      await stage.clock.advance(10_000);
    }
    assert.equal(stage.cycle.view().cycles, cycles);
    assert.deepEqual(stage.medium.leases, rows);
    assert.equal(stage.clock.pendingTimers(), 0);
  });

  test("time alone ends a quarantine", async () => {
    await using stage = makeCycleStage({ claims: [makeClaim("web")] });
    await stage.cycle.start();
    await stage.clock.advance(ROUND_MS);
    stage.say(claimGone(makeClaim("web")));
    await stage.clock.advance(100);
    assert.deepEqual(
      [...stage.medium.leases.values()].map(({ state }) => state.kind),
      ["quarantined"],
    );
    await stage.clock.advance(61_000);
    assert.equal(stage.medium.leases.size, 0);
  });
});

suite("a publisher that fails", () => {
  test("is tried again without news, and does not keep the others from publishing", async () => {
    let attempts = 0;
    const publisher: Publisher = {
      name: "failing",
      publish: async () => {
        attempts += 1;
        await Promise.resolve();
        if (attempts > 3) return;
        throw new EdgeError({ code: "NO_SPACE", message: "the disk is full", retryable: true });
      },
    };
    await using stage = makeCycleStage({ claims: [makeClaim("web")], publisher });
    const { lines } = stage;
    await stage.cycle.start();
    await stage.clock.advance(ROUND_MS);
    assert.equal(stage.published.length, 1);
    await stage.clock.advance(60_000);
    assert.equal(attempts, 4);
    assert.equal(lines.filter((line) => line.includes("cannot publish")).length, 1);
    assert.equal(lines.filter((line) => line.includes("published again")).length, 1);
  });
});

test("what is published are the claims that were planned, with their verdicts", async () => {
  await using stage = makeCycleStage({ claims: [makeClaim("web")] });
  await stage.cycle.start();
  await stage.clock.advance(ROUND_MS);
  for (const { claims, verdicts } of stage.published) {
    assert.deepEqual([...claims.keys()], [...verdicts.keys()]);
  }
  const plan: Plan | undefined = stage.cycle.view().plan;
  assert.equal(stage.published.at(-1)?.verdicts, plan?.verdicts);
});
