// Following a kind over the stub: the stories that any API server plays, and those of watches that
// end in ways that only the stub has on command. Time stands still but while something is waited
// for.

import assert from "node:assert/strict";
import { suite, test } from "node:test";

import {
  beginStubScene,
  followServices,
  makeStubStage,
  type StubStage,
  testListWatchContract,
  untilWatched,
} from "@fairlead/testkit";

import { SILENCE_MS } from "./watchdog.ts";

testListWatchContract("the stub", makeStubStage);

const S = 1000;
const LISTS = { resource: "services", verb: "list", page: "first" } as const;
const WATCHES = { resource: "services", verb: "watch" } as const;

/** The versions that watches went on from. */
function resumedFrom({ stub }: StubStage): readonly (string | undefined)[] {
  return stub.requests(WATCHES).map(({ query }) => query["resourceVersion"]);
}

suite("a watch that", () => {
  test("the server ends goes on from where it was, with what happened between", async () => {
    await using scene = await beginStubScene();
    const { stage, follower } = scene;
    await stage.put("c", "1");
    await follower.untilTold("upsert c=1");
    const version = String(stage.stub.version());
    stage.stub.endWatches();
    await stage.put("a", "2");
    await follower.untilTold("upsert a=2");
    assert.deepEqual(resumedFrom(stage), [version]);
    assert.equal(stage.stub.counts(LISTS).list, 0);
    assert.deepEqual(follower.troubles, []);
  });

  test("is cut, also in the middle of a line, goes on from its last whole line", async () => {
    await using scene = await beginStubScene();
    const { stage, follower } = scene;
    const version = String(stage.stub.version());
    stage.stub.fault({ when: WATCHES, do: { kind: "cut", where: "line" } });
    stage.stub.cutWatches("services", "mid-line");
    await stage.put("a", "2");
    await follower.untilTold("upsert a=2");
    assert.deepEqual(resumedFrom(stage), [version, version]);
    assert.deepEqual(follower.told, ["upsert a=2"]);
    assert.equal(stage.stub.counts(LISTS).list, 0);
    assert.deepEqual(follower.troubles, ["CUT", "none", "CUT", "none"]);
  });

  test("is silent for too long is given up, and goes on from its last bookmark", async () => {
    await using scene = await beginStubScene();
    const { stage, follower } = scene;
    stage.stub.tick();
    stage.stub.bookmark();
    const version = String(stage.stub.version());
    await stage.pass(S);
    stage.stub.muteWatches();
    await stage.put("c", "1");
    await stage.pass(SILENCE_MS - 2 * S);
    assert.deepEqual(follower.inForce(), ["a=1", "b=1"]);
    await follower.untilTold("upsert c=1");
    assert.deepEqual(resumedFrom(stage), [version]);
    assert.deepEqual(follower.troubles, ["TIMEOUT", "none"]);
  });

  test("begins has its end named, between four and five minutes and each time another", async () => {
    await using stage = await makeStubStage();
    let drawn = 0;
    await using _follower = followServices(stage, () => (drawn += 0.37) % 1);
    const ends = (): readonly string[] =>
      stage.stub.requests(WATCHES).map(({ query }) => query["timeoutSeconds"] ?? "none");
    while (ends().length < 10) {
      await untilWatched(stage);
      stage.stub.endWatches();
    }
    for (const end of ends()) {
      assert.match(end, /^\d+$/u);
      assert.ok(Number(end) >= 240 && Number(end) <= 300, `${end} s`);
    }
    const spread = new Set(ends()).size;
    assert.ok(spread > 5, `the ends of ten watches: ${ends().join()}`);
  });

  test("opens and is silent from its first moment is given up as well", async () => {
    await using scene = await beginStubScene();
    const { stage, follower } = scene;
    stage.stub.fault({ when: WATCHES, do: { kind: "silence" } });
    stage.stub.endWatches();
    await stage.put("c", "1");
    await follower.untilTold("upsert c=1");
    assert.equal(stage.stub.counts(WATCHES).watch, 2);
  });

  test("gets a version that is compacted lists anew, and tells no trouble", async () => {
    await using scene = await beginStubScene();
    const { stage, follower } = scene;
    stage.stub.muteWatches();
    await stage.put("a", "2");
    await stage.put("c", "1");
    stage.stub.compact();
    stage.stub.endWatches();
    await follower.untilInForce("a=2", "b=1", "c=1");
    assert.equal(stage.stub.counts(LISTS).list >= 1, true);
    assert.ok(!follower.troubles.includes("GONE"));
  });

  // Whoever answers so may be another server, or one that starts over an older store.
  const ends = [
    { name: "an answer 410", fault: { kind: "answer", status: 410 }, lists: true },
    { name: "an ERROR event 410", fault: { kind: "error-event", code: 410 }, lists: true },
    { name: "an ERROR event 500", fault: { kind: "error-event", code: 500 }, lists: true },
    { name: "an answer 500", fault: { kind: "answer", status: 500 }, lists: true },
    { name: "a line that is no JSON", fault: { kind: "garbage" }, lists: true },
    { name: "a line without end", fault: { kind: "long-line" }, lists: true },
    { name: "the page of a proxy", fault: { kind: "html", status: 502 }, lists: true },
    { name: "no answer at all", fault: { kind: "hang" }, lists: false },
  ] as const;
  for (const { name, fault, lists } of ends) {
    test(`gets ${name} ${lists ? "lists anew" : "goes on from where it was"}`, async () => {
      await using scene = await beginStubScene();
      const { stage, follower } = scene;
      stage.stub.fault({ when: WATCHES, do: fault });
      stage.stub.endWatches();
      await stage.put("a", "2");
      await follower.untilTold("upsert a=2");
      await untilWatched(stage);
      assert.equal(follower.listWatch.counts().lists, lists ? 2 : 1);
      assert.deepEqual(follower.told, ["upsert a=2"]);
      assert.deepEqual(follower.reads, ["a"], "what is known is not read again");
      assert.deepEqual(follower.inForce(), ["a=2", "b=1"]);
    });
  }
});
