// Writes to the stub: preconditions, merge patches, deletions with finalizers, Events. The answers
// are those that kube-apiserver 1.36.3 gave to the same requests.

import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { childOf, textOf } from "./json-tree.ts";
import { startKubeStub } from "./kube-stub.ts";
import {
  apply,
  ask,
  eventWords,
  identityOf,
  service,
  versionOf,
  watch,
  writersOf,
} from "./stub-client.ts";

const A = "/api/v1/namespaces/default/services/a";
const MERGE = "application/merge-patch+json";
const HOLD = { metadata: { finalizers: ["fairlead.io/release"] } };

suite("a precondition", () => {
  const cases = [
    { name: "of an old version is a conflict", metadata: { resourceVersion: "5" }, status: 409 },
    { name: "of another uid is an invalid change of it", metadata: { uid: "other" }, status: 422 },
    {
      name: "of both is a conflict",
      metadata: { uid: "other", resourceVersion: "5" },
      status: 409,
    },
  ];
  for (const { name, metadata, status } of cases) {
    test(`${name}, by apply and by merge patch`, async () => {
      await using stub = await startKubeStub();
      const before = stub.put(service("a"));
      const applied = await apply(stub, "a/status/force", "m", { metadata, status: {} });
      const merged = await ask(stub, "PATCH", A, { body: { metadata }, type: MERGE });
      assert.deepEqual([applied.status, merged.status], [status, status]);
      assert.deepEqual(applied.body, merged.body);
      assert.deepEqual(stub.get("Service", "default", "a"), before);
    });
  }

  test("of an old version says so in the server's words", async () => {
    await using stub = await startKubeStub();
    stub.put(service("a"));
    const { body } = await apply(stub, "a/force", "m", { metadata: { resourceVersion: "5" } });
    assert.deepEqual(body, {
      kind: "Status",
      apiVersion: "v1",
      metadata: {},
      status: "Failure",
      message:
        'Operation cannot be fulfilled on services "a": the object has been modified; please ' +
        "apply your changes to the latest version and try again",
      reason: "Conflict",
      details: { name: "a", kind: "services" },
      code: 409,
    });
  });

  test("with a uid keeps an apply from making a deleted object again", async () => {
    await using stub = await startKubeStub();
    const { spec } = service("a");
    const gone = await apply(stub, "a/force", "m", { spec, metadata: { uid: "u" } });
    assert.equal(gone.status, 409);
    assert.match(textOf(gone.body, "message"), /uid u, and no existing object was found$/u);
    assert.equal(stub.get("Service", "default", "a"), undefined);
  });
});

suite("a deletion", () => {
  test("without finalizers is at once", async () => {
    await using stub = await startKubeStub();
    stub.put(service("a"));
    const { status, body } = await ask(stub, "DELETE", A);
    assert.deepEqual([status, versionOf(body)], [200, "1002"]);
    assert.equal((await ask(stub, "GET", A)).status, 404);
    assert.throws(() => stub.remove("Service", "default", "a"), /not found/u);
  });

  test("with one marks the object, and its removal ends it", async () => {
    await using stub = await startKubeStub({ wallMs: () => Date.UTC(2026, 5, 1) });
    stub.put(service("a"));
    const path = "/api/v1/services?watch=1&resourceVersion=1001";
    const watching = await watch(stub, path);
    await apply(stub, "a/force", "m", HOLD);
    const marked = childOf(stub.remove("Service", "default", "a"), "metadata");
    assert.equal(marked["deletionTimestamp"], "2026-06-01T00:00:00Z");
    stub.remove("Service", "default", "a");
    assert.equal(stub.version(), 1003);
    const added = await apply(stub, "a/force", "n", { metadata: { finalizers: ["late/one"] } });
    assert.equal(added.status, 422);
    assert.match(textOf(added.body, "message"), /no new finalizers can be added/u);
    const metadata = { ...identityOf(stub, "a"), finalizers: [] };
    const released = await ask(stub, "PATCH", A, { body: { metadata }, type: MERGE });
    // The answer to the last write has the version before it, and the event its own.
    assert.deepEqual([released.status, versionOf(released.body)], [200, "1003"]);
    assert.equal(stub.get("Service", "default", "a"), undefined);
    assert.deepEqual((await watching.lines(3)).map(eventWords), [
      "MODIFIED default/a @1002",
      "MODIFIED default/a @1003",
      "DELETED default/a @1004",
    ]);
    watching.close();
  });

  test("ends as well when an apply gives the last finalizer up", async () => {
    await using stub = await startKubeStub();
    stub.put(service("a"));
    await apply(stub, "a/force", "m", HOLD);
    stub.remove("Service", "default", "a");
    assert.equal((await apply(stub, "a/force", "m", {})).status, 200);
    assert.equal(stub.get("Service", "default", "a"), undefined);
  });
});

suite("an Event", () => {
  const EVENTS = "/apis/events.k8s.io/v1/namespaces/default/events";
  const event = {
    metadata: { name: "a.1" },
    eventTime: "2026-01-01T00:00:00.000000Z",
    reportingController: "example.com/controller",
    reportingInstance: "controller-0",
    type: "Normal",
    reason: "R",
    action: "A",
    note: "n",
  };

  test("is made once, and its series patched", async () => {
    await using stub = await startKubeStub();
    const made = await ask(stub, "POST", `${EVENTS}?fieldManager=e`, { body: event });
    assert.equal(made.status, 201);
    assert.match(writersOf(made.body).join(), /^e Update - /u);
    const again = await ask(stub, "POST", EVENTS, { body: event });
    assert.deepEqual([again.status, again.body["reason"]], [409, "AlreadyExists"]);
    const series = { count: 2, lastObservedTime: event.eventTime };
    const body = { series };
    const patched = await ask(stub, "PATCH", `${EVENTS}/a.1`, { body, type: MERGE });
    assert.deepEqual(patched.body["series"], series);
    assert.deepEqual(stub.get("Event", "default", "a.1"), patched.body);
  });

  test("gets a name made from a part of one, and needs its time", async () => {
    await using stub = await startKubeStub();
    const named = { ...event, metadata: { generateName: "a." } };
    const { body } = await ask(stub, "POST", EVENTS, { body: named });
    assert.match(textOf(childOf(body, "metadata"), "name"), /^a\..+$/u);
    const timeless = await ask(stub, "POST", EVENTS, { body: { metadata: { name: "b" } } });
    assert.equal(timeless.status, 422);
    const nameless = await ask(stub, "POST", EVENTS, { body: {} });
    assert.equal(nameless.status, 400);
  });
});

suite("what the server keeps account of", () => {
  test("is the generation of slices, and of Services none", async () => {
    await using stub = await startKubeStub();
    const slice = { kind: "EndpointSlice", metadata: { name: "s" }, endpoints: [] };
    assert.equal(childOf(stub.put(slice), "metadata")["generation"], 1);
    const more = stub.put({ ...slice, endpoints: [{ addresses: ["10.0.0.1"] }] });
    assert.equal(childOf(more, "metadata")["generation"], 2);
    const labelled = stub.put({ ...more, metadata: { name: "s", labels: { a: "b" } } });
    assert.equal(childOf(labelled, "metadata")["generation"], 2);
    assert.equal(childOf(stub.put(service("a")), "metadata")["generation"], undefined);
  });

  test("is uid and time of making, which a later write leaves", async () => {
    await using stub = await startKubeStub();
    const { uid, creationTimestamp } = childOf(stub.put(service("a")), "metadata");
    assert.equal(creationTimestamp, "2026-01-01T00:00:00Z");
    const later = childOf(stub.put(service("a", { spec: { ports: [{ port: 1 }] } })), "metadata");
    assert.equal(later["uid"], uid);
    assert.equal(later["resourceVersion"], "1002");
  });
});
