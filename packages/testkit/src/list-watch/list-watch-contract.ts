// What following a kind must do over any API server, as stories: the stub and a real one play
// them. Given a way to make stages. Nothing here needs a fault that a real server does not have.

import assert from "node:assert/strict";
import { suite, test } from "node:test";

import type { ListWatchStage } from "./list-watch-stage.ts";
import { followServices } from "./story-follower.ts";

/** A list lacks it twice so far apart before it is gone, in ms. */
const ABSENCE_MS = 30_000;
/** More than a page of a list. */
const MANY = 300;

/** Registers the stories for one kind of stage. */
export function testListWatchContract(kind: string, make: () => Promise<ListWatchStage>): void {
  void suite(`a kind that is followed over ${kind}`, () => {
    testShowing(make);
    testAbsence(make);
    testServers(make);
  });
}

function testShowing(make: () => Promise<ListWatchStage>): void {
  void test("is shown as it is, then as it changes, each change once and in order", async () => {
    await using stage = await make();
    await stage.put("a", "1");
    await stage.put("b", "1");
    await using follower = followServices(stage);
    await follower.untilInForce("a=1", "b=1");
    await stage.put("c", "1");
    await stage.put("a", "2");
    await stage.remove("b");
    await follower.untilTold("gone b");
    assert.deepEqual(follower.told, [
      "upsert a=1",
      "upsert b=1",
      "upsert c=1",
      "upsert a=2",
      "gone b",
    ]);
    assert.deepEqual(follower.inForce(), ["a=2", "c=1"]);
    assert.deepEqual(follower.troubles, []);
  });

  void test("is shown whole when it takes more than a page", async () => {
    await using stage = await make();
    const names = Array.from({ length: MANY }, (_, index) => `s${String(index).padStart(3, "0")}`);
    for (const name of names) await stage.put(name, "1");
    await using follower = followServices(stage);
    await follower.untilInForce(...names.map((name) => `${name}=1`));
    assert.deepEqual(
      follower.told,
      names.map((name) => `upsert ${name}=1`),
    );
  });

  void test("with nothing in it is known to be empty, and a second look agrees", async () => {
    await using stage = await make();
    await using follower = followServices(stage);
    await follower.untilInForce();
    await stage.pass(2 * ABSENCE_MS);
    await stage.put("a", "1");
    await follower.untilInForce("a=1");
    assert.equal(follower.listWatch.counts().lists, 1);
    assert.equal(follower.listWatch.counts().differences, 0);
  });
}

function testAbsence(make: () => Promise<ListWatchStage>): void {
  void test("that changed while the server was out of reach is caught up with", async () => {
    await using stage = await make();
    await stage.put("a", "1");
    await stage.put("b", "1");
    await using follower = followServices(stage);
    await follower.untilInForce("a=1", "b=1");
    await away(stage, follower, async () => {
      await stage.put("c", "1");
      await stage.put("a", "2");
      await stage.remove("b");
    });
    await follower.untilInForce("a=2", "b=1?", "c=1");
    const sinceMs = stage.clock.nowMs();
    await follower.untilInForce("a=2", "c=1");
    // What a list lacks is gone when a second one agrees, and stays in force until then.
    assert.ok(stage.clock.nowMs() - sinceMs >= ABSENCE_MS - 5000);
    assert.deepEqual(follower.told.slice(-2), ["doubt b", "gone b"]);
    assert.equal(follower.troubles.at(-1), "none");
  });

  void test("that was deleted and made again meanwhile is another one", async () => {
    await using stage = await make();
    await stage.put("a", "1");
    await using follower = followServices(stage);
    await follower.untilInForce("a=1");
    await away(stage, follower, async () => {
      await stage.remove("a");
      await stage.put("a", "2");
    });
    await follower.untilInForce("a=2");
    assert.deepEqual(follower.told, ["upsert a=1", "gone a", "upsert a=2"]);
  });

  void test("whose connection says nothing more is asked for anew, from where it was", async () => {
    await using stage = await make();
    await stage.put("a", "1");
    await using follower = followServices(stage);
    await follower.untilInForce("a=1");
    // Something that was shown by the watch proves that there is one.
    await stage.put("b", "1");
    await follower.untilInForce("a=1", "b=1");
    stage.gate.freeze();
    await stage.put("c", "1");
    await stage.remove("a");
    await follower.untilInForce("b=1", "c=1");
    // By the next watch, or by second looks before it.
    assert.deepEqual(follower.told.filter((words) => !words.startsWith("doubt")).toSorted(), [
      "gone a",
      "upsert a=1",
      "upsert b=1",
      "upsert c=1",
    ]);
    assert.equal(follower.listWatch.counts().lists, 1);
  });
}

function testServers(make: () => Promise<ListWatchStage>): void {
  void test("stays as it is over a new start of the server, and goes on", async () => {
    await using stage = await make();
    await stage.put("a", "1");
    await using follower = followServices(stage);
    await follower.untilInForce("a=1");
    await stage.restart();
    await stage.put("b", "1");
    await stage.remove("a");
    await follower.untilTold("gone a");
    await follower.untilInForce("b=1");
    assert.deepEqual(follower.told.filter((words) => !words.startsWith("doubt")).toSorted(), [
      "gone a",
      "upsert a=1",
      "upsert b=1",
    ]);
  });

  void test("becomes what it was when the server's store was put back", async () => {
    await using stage = await make();
    await stage.put("a", "1");
    await using follower = followServices(stage);
    await follower.untilInForce("a=1");
    await stage.undo(async () => {
      await stage.put("a", "2");
      await stage.put("b", "1");
      await follower.untilInForce("a=2", "b=1");
    });
    await follower.untilInForce("a=1");
    await stage.put("c", "1");
    await follower.untilInForce("a=1", "c=1");
  });
}

/** Does the work while the follower knows that it has no server. */
async function away(
  stage: ListWatchStage,
  follower: ReturnType<typeof followServices>,
  work: () => Promise<void>,
): Promise<void> {
  await stage.gate.close();
  await stage.until(
    () => follower.troubles.includes("UNREACHABLE"),
    () => `that it is out of reach: ${follower.troubles.join()}`,
  );
  await work();
  await stage.gate.open();
}
