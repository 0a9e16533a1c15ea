// Watches of the stub: what they show, how they end, and what a version that is too old or still
// to come meets.

import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { childOf, textOf } from "./json-tree.ts";
import { startKubeStub } from "./kube-stub.ts";
import { ask, eventWords, service, versionOf, watch } from "./stub-client.ts";

const WATCH = "/api/v1/services?watch=1&allowWatchBookmarks=true";

suite("a watch", () => {
  test("shows what happened after its version, then what happens", async () => {
    await using stub = await startKubeStub();
    stub.put(service("a"));
    stub.put(service("b"));
    const watching = await watch(stub, `${WATCH}&resourceVersion=1001`);
    await stub.watching("services");
    stub.put(service("a", { metadata: { labels: { x: "y" } } }));
    stub.put({ kind: "Node", metadata: { name: "n" } });
    stub.remove("Service", "default", "b");
    assert.deepEqual((await watching.lines(3)).map(eventWords), [
      "ADDED default/b @1002",
      "MODIFIED default/a @1003",
      "DELETED default/b @1005",
    ]);
    watching.close();
    await stub.unwatched("services");
    assert.equal(stub.watches(), 0);
  });

  test("shows whole objects, with their kind", async () => {
    await using stub = await startKubeStub();
    const stored = stub.put(service("a"));
    const watching = await watch(stub, `${WATCH}&resourceVersion=1000`);
    const [line] = await watching.lines(1);
    assert.deepEqual(line?.["object"], stored);
    watching.close();
  });

  test("without a version begins with all that there is", async () => {
    await using stub = await startKubeStub();
    stub.put(service("b"));
    stub.put(service("a"));
    const watching = await watch(stub, WATCH);
    const lines = (await watching.lines(2)).map(eventWords);
    assert.deepEqual(lines, ["ADDED default/a @1002", "ADDED default/b @1001"]);
    watching.close();
  });

  test("of one namespace shows that one", async () => {
    await using stub = await startKubeStub();
    const path = "/api/v1/namespaces/other/services?watch=1&resourceVersion=1000";
    const watching = await watch(stub, path);
    stub.put(service("a"));
    stub.put(service("a", { metadata: { namespace: "other" } }));
    assert.deepEqual((await watching.lines(1)).map(eventWords), ["ADDED other/a @1002"]);
    watching.close();
  });

  test("shows a Service that is made again under its name as gone and another", async () => {
    await using stub = await startKubeStub();
    stub.put(service("a", { metadata: { uid: "one" } }));
    const watching = await watch(stub, `${WATCH}&resourceVersion=1001`);
    stub.put(service("a", { metadata: { uid: "two" } }));
    const lines = (await watching.lines(2)).map(eventWords);
    assert.deepEqual(lines, ["DELETED default/a @1002", "ADDED default/a @1003"]);
    watching.close();
  });

  test("shows nothing where a write changed nothing", async () => {
    await using stub = await startKubeStub();
    stub.put(service("a"));
    stub.put(service("a"));
    assert.equal(stub.version(), 1001);
  });

  test("gets bookmarks on command, when it wants them", async () => {
    await using stub = await startKubeStub();
    const wants = await watch(stub, `${WATCH}&resourceVersion=1000`);
    const wantsNot = await watch(stub, "/api/v1/services?watch=1&resourceVersion=1000");
    await stub.watching("services", 2);
    stub.tick();
    stub.bookmark("nodes");
    stub.bookmark();
    stub.put(service("a"));
    const [bookmark, added] = await wants.lines(2);
    assert.equal(bookmark?.["type"], "BOOKMARK");
    assert.equal(versionOf(childOf(bookmark ?? {}, "object")), "1001");
    assert.equal(added?.["type"], "ADDED");
    assert.deepEqual((await wantsNot.lines(1)).map(eventWords), ["ADDED default/a @1002"]);
    wants.close();
    wantsNot.close();
  });

  test("ends whole when its time is over", async () => {
    await using stub = await startKubeStub();
    const watching = await watch(stub, `${WATCH}&resourceVersion=1000&timeoutSeconds=240`);
    await stub.watching("services");
    stub.endWatches("nodes");
    assert.equal(stub.watches(), 1);
    stub.endWatches("services");
    assert.deepEqual(await watching.ended, { isWhole: true, text: "" });
    assert.equal(stub.watches(), 0);
    assert.deepEqual(
      stub.requests({ verb: "watch" }).map(({ query }) => query["timeoutSeconds"]),
      ["240"],
    );
  });

  test("is cut between two lines, or in the middle of one", async () => {
    await using stub = await startKubeStub();
    for (const where of ["between-lines", "mid-line"] as const) {
      const watching = await watch(stub, `${WATCH}&resourceVersion=1000`);
      await stub.watching("services");
      stub.cutWatches("services", where);
      const { isWhole, text } = await watching.ended;
      assert.equal(isWhole, false);
      assert.equal(text.startsWith('{"type"'), where === "mid-line");
    }
  });

  test("that is muted stays open and silent", async () => {
    await using stub = await startKubeStub();
    const muted = await watch(stub, `${WATCH}&resourceVersion=1000`);
    await stub.watching("services");
    stub.muteWatches();
    const heard = await watch(stub, `${WATCH}&resourceVersion=1000`);
    await stub.watching("services");
    stub.put(service("a"));
    stub.bookmark();
    await heard.lines(2);
    stub.endWatches();
    await heard.ended;
    muted.close();
    assert.deepEqual(await muted.ended, { isWhole: false, text: "" });
  });

  test("of a compacted version ends with an ERROR event, under status 200", async () => {
    await using stub = await startKubeStub();
    stub.put(service("a"));
    stub.put(service("b"));
    stub.compact();
    const watching = await watch(stub, `${WATCH}&resourceVersion=1001`);
    assert.equal(watching.status, 200);
    const { isWhole, text } = await watching.ended;
    assert.equal(isWhole, true);
    assert.deepEqual(JSON.parse(text), {
      type: "ERROR",
      object: {
        kind: "Status",
        apiVersion: "v1",
        metadata: {},
        status: "Failure",
        message: "too old resource version: 1001 (1002)",
        reason: "Expired",
        code: 410,
      },
    });
    const last = await watch(stub, `${WATCH}&resourceVersion=1002`);
    await stub.watching("services");
    last.close();
  });

  test("of a version to come is silent until it is there", async () => {
    await using stub = await startKubeStub();
    const watching = await watch(stub, `${WATCH}&resourceVersion=1002`);
    await stub.watching("services");
    stub.put(service("a"));
    stub.bookmark();
    stub.put(service("b"));
    stub.put(service("c"));
    assert.deepEqual((await watching.lines(1)).map(eventWords), ["ADDED default/c @1003"]);
    watching.close();
  });
});

suite("a server that", () => {
  test("goes refuses connections and resets those that there are, and comes back", async () => {
    await using stub = await startKubeStub();
    stub.put(service("a"));
    const watching = await watch(stub, `${WATCH}&resourceVersion=1000`);
    await watching.lines(1);
    await stub.stop();
    assert.equal((await watching.ended).isWhole, false);
    assert.equal(stub.connections(), 0);
    await assert.rejects(ask(stub, "GET", "/api/v1/services"));
    stub.put(service("b"));
    await stub.start();
    const { status } = await ask(stub, "GET", "/api/v1/namespaces/default/services/b");
    assert.equal(status, 200);
  });

  test("starts keeps no events from before", async () => {
    await using stub = await startKubeStub();
    stub.put(service("a"));
    await stub.stop();
    stub.put(service("b"));
    await stub.start();
    const late = await watch(stub, `${WATCH}&resourceVersion=1001`);
    const [line] = await late.lines(1);
    assert.equal(textOf(childOf(line ?? {}, "object"), "reason"), "Expired");
  });

  test("was put back shows what it was, and uses its versions again", async () => {
    await using stub = await startKubeStub();
    stub.put(service("a"));
    const then = stub.snapshot();
    stub.put(service("b"));
    const watching = await watch(stub, `${WATCH}&resourceVersion=1002`);
    await stub.watching("services");
    stub.restore(then);
    assert.equal((await watching.ended).isWhole, false);
    assert.equal(stub.version(), 1001);
    assert.equal(stub.get("Service", "default", "b"), undefined);
    assert.equal(versionOf(stub.put(service("c"))), "1002");
  });
});
