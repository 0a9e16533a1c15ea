// Following a kind over a stub that fails: lists that are broken, empty or old, rights that are
// missing, and a server that must not be stormed. Time stands still but while something is waited
// for.

import assert from "node:assert/strict";
import { suite, test } from "node:test";

import {
  beginStubScene,
  followServices,
  makeStubStage,
  type StubStage,
  untilWatched,
} from "@fairlead/testkit";

const S = 1000;
const MINUTE = 60 * S;
const LISTS = { resource: "services", verb: "list", page: "first" } as const;
const WATCHES = { resource: "services", verb: "watch" } as const;
const ALWAYS = Number.POSITIVE_INFINITY;

suite("a list that", () => {
  test("expires between two pages begins anew, and shows each object once", async () => {
    await using stage = await makeStubStage();
    for (let index = 100; index < 400; index += 1) await stage.put(`s${index}`, "1");
    stage.stub.fault({ when: { ...LISTS, page: "further" }, do: { kind: "answer", status: 410 } });
    await using follower = followServices(stage);
    await follower.untilTold("upsert s399=1");
    await stage.until(
      () => follower.listWatch.isSynced(),
      () => "it was listed",
    );
    assert.equal(follower.told.length, 300);
    assert.equal(new Set(follower.told).size, 300);
    assert.deepEqual(follower.troubles, []);
  });

  test("is empty once takes nothing away", async () => {
    await using scene = await beginStubScene();
    const { stage, follower } = scene;
    stage.stub.fault({ when: LISTS, do: { kind: "empty-list" } });
    stage.stub.fault({ when: WATCHES, do: { kind: "answer", status: 410 } });
    stage.stub.endWatches();
    await follower.untilInForce("a=1?", "b=1?");
    await follower.untilInForce("a=1", "b=1");
    assert.ok(!follower.told.some((words) => words.startsWith("gone")));
  });

  test("is empty again half a minute later counts", async () => {
    await using scene = await beginStubScene();
    const { stage, follower } = scene;
    using _ = stage.stub.fault({ when: LISTS, do: { kind: "empty-list" }, times: ALWAYS });
    stage.stub.fault({ when: WATCHES, do: { kind: "answer", status: 410 } });
    stage.stub.endWatches();
    await follower.untilInForce("a=1?", "b=1?");
    const sinceMs = stage.clock.nowMs();
    await follower.untilInForce();
    assert.ok(stage.clock.nowMs() - sinceMs >= 29 * S);
    assert.deepEqual(follower.told.slice(-2), ["gone a", "gone b"]);
  });

  test("shows the past is not believed, while the server catches up", async () => {
    await using scene = await beginStubScene();
    const { stage, follower } = scene;
    const snapshot = stage.stub.snapshot();
    await stage.put("a", "2");
    await stage.put("c", "1");
    await follower.untilInForce("a=2", "b=1", "c=1");
    stage.stub.fault({ when: LISTS, do: { kind: "serve-snapshot", snapshot } });
    stage.stub.fault({ when: WATCHES, do: { kind: "answer", status: 410 } });
    stage.stub.endWatches();
    await follower.untilTold("doubt c");
    await follower.untilInForce("a=2", "b=1", "c=1");
    assert.ok(!follower.told.includes("upsert a=1"));
    assert.ok(!follower.told.includes("gone c"));
  });

  test("is no JSON, cut, or never answered is asked for again", async () => {
    const stage = await makeStubStage();
    await using _ = stage;
    await stage.put("a", "1");
    for (const act of [
      { kind: "garbage" },
      { kind: "cut", where: "line" },
      { kind: "cut", where: "head" },
      { kind: "hang" },
      { kind: "html", status: 503 },
    ] as const) {
      stage.stub.fault({ when: LISTS, do: act });
    }
    await using follower = followServices(stage);
    await follower.untilInForce("a=1");
    await untilWatched(stage);
    const expected = ["SERVER", "CUT", "UNREACHABLE", "TIMEOUT", "SERVER", "none"];
    assert.deepEqual(follower.troubles, expected);
  });
});

suite("a server that", () => {
  test("asks to be left alone is left alone for so long", async () => {
    await using scene = await beginStubScene();
    const { stage, follower } = scene;
    const busy = { kind: "answer", status: 429, retryAfterS: 20 } as const;
    stage.stub.fault({ when: WATCHES, do: busy });
    stage.stub.endWatches();
    await stage.until(
      () => follower.troubles.includes("THROTTLED"),
      () => "it is throttled",
    );
    const sinceMs = stage.clock.nowMs();
    await stage.put("c", "1");
    await follower.untilTold("upsert c=1");
    assert.ok(stage.clock.nowMs() - sinceMs >= 19 * S);
  });

  test("takes a right away is told of, and followed again when it is back", async () => {
    await using scene = await beginStubScene();
    const { stage, follower } = scene;
    stage.stub.forbid({ verb: "watch", resource: "services" });
    stage.stub.endWatches();
    await stage.put("c", "1");
    await stage.until(
      () => follower.troubles.includes("FORBIDDEN"),
      () => "it is told of",
    );
    assert.deepEqual(follower.inForce(), ["a=1", "b=1"]);
    stage.stub.allow({ verb: "watch", resource: "services" });
    await follower.untilInForce("a=1", "b=1", "c=1");
    await stage.until(
      () => follower.troubles.at(-1) === "none",
      () => "it works again",
    );
  });

  test("was put back is believed when it shows the same half a minute later", async () => {
    await using scene = await beginStubScene();
    const { stage, follower } = scene;
    const snapshot = stage.stub.snapshot();
    await stage.put("a", "2");
    await stage.put("c", "1");
    await follower.untilInForce("a=2", "b=1", "c=1");
    stage.stub.restore(snapshot);
    await follower.untilTold("gone c");
    await follower.untilInForce("a=1", "b=1");
    await stage.put("d", "1");
    await follower.untilInForce("a=1", "b=1", "d=1");
  });

  test("was put back is believed as well when others write there and versions catch up", async () => {
    await using scene = await beginStubScene();
    const { stage, follower } = scene;
    const snapshot = stage.stub.snapshot();
    await stage.put("a", "2");
    await stage.put("c", "1");
    await follower.untilInForce("a=2", "b=1", "c=1");
    await stage.stub.stop();
    await stage.until(
      () => follower.troubles.includes("UNREACHABLE"),
      () => "it is out of reach",
    );
    stage.stub.restore(snapshot);
    await stage.stub.start();
    await follower.untilTold("doubt c");
    for (let write = 0; write < 10; write += 1) stage.stub.tick();
    await follower.untilInForce("a=1", "b=1");
  });

  const troubles = [
    { name: "knows nobody any more", set: ({ stub }: StubStage) => stub.setCredentials(false) },
    {
      name: "fails whatever it is asked",
      set: ({ stub }: StubStage) => {
        stub.fault({ when: {}, do: { kind: "answer", status: 500 }, times: ALWAYS });
      },
    },
    {
      name: "ends every watch at once",
      set: ({ stub }: StubStage) => {
        stub.fault({ when: WATCHES, do: { kind: "error-event", code: 410 }, times: ALWAYS });
      },
    },
    {
      name: "cuts every connection",
      set: ({ stub }: StubStage) => {
        stub.fault({ when: {}, do: { kind: "cut", where: "head" }, times: ALWAYS });
      },
    },
  ];
  for (const { name, set } of troubles) {
    test(`${name} is not stormed: less than a request in 5 s, and all stays in force`, async () => {
      await using scene = await beginStubScene();
      const { stage, follower } = scene;
      set(stage);
      stage.stub.endWatches();
      await stage.pass(5 * MINUTE);
      const asked = stage.stub.requests().length;
      assert.ok(asked > 5, `${asked} requests in five minutes`);
      assert.ok(asked < 60, `${asked} requests in five minutes`);
      assert.deepEqual(follower.inForce(), ["a=1", "b=1"]);
    });
  }

  test("has nothing new is asked little: in ten quiet minutes a few watches and looks", async () => {
    await using scene = await beginStubScene();
    const { stage, follower } = scene;
    for (let minute = 0; minute < 10; minute += 1) {
      await stage.pass(MINUTE);
      stage.stub.tick();
      stage.stub.bookmark();
    }
    const { list, watch } = stage.stub.counts();
    assert.ok(list <= 2 && watch <= 3, `${list} lists and ${watch} watches`);
    assert.deepEqual([follower.told, follower.troubles], [[], []]);
    assert.equal(follower.listWatch.counts().differences, 0);
  });
});
