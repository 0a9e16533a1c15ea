// Server-side apply on the stub and its account of fields. The answers are those that kube-
// apiserver 1.36.3 gave to the same requests.

import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { childOf, isJson, type Json, listOf, textOf } from "./json-tree.ts";
import { startKubeStub } from "./kube-stub.ts";
import { apply, ask, identityOf, service, writersOf } from "./stub-client.ts";

const A = "/api/v1/namespaces/default/services/a";
const MERGE = "application/merge-patch+json";
const HOLD = { metadata: { finalizers: ["fairlead.io/release"] } };

function condition(status: string): Json {
  const time = "2026-01-01T00:00:00Z";
  return { type: "X", status, reason: "R", message: "", lastTransitionTime: time };
}

function serving(ip: string, status = "True"): Json {
  return { status: { loadBalancer: { ingress: [{ ip }] }, conditions: [condition(status)] } };
}

suite("an apply", () => {
  test("makes what is not there, when no uid is given", async () => {
    await using stub = await startKubeStub();
    const { spec } = service("a");
    const { status, body } = await apply(stub, "a", "m", { spec });
    assert.equal(status, 201);
    assert.deepEqual(body["status"], { loadBalancer: {} });
    assert.deepEqual(stub.get("Service", "default", "a"), body);
    const refused = await apply(stub, "b", "m", HOLD);
    assert.equal(refused.status, 422);
    assert.match(textOf(refused.body, "message"), /spec\.ports: Required value/u);
  });

  test("needs a field manager, and a type of its own", async () => {
    await using stub = await startKubeStub();
    stub.put(service("a"));
    const type = "application/apply-patch+yaml";
    assert.equal((await ask(stub, "PATCH", A, { body: {}, type })).status, 422);
    assert.equal((await ask(stub, "PATCH", A, { body: {} })).status, 415);
  });

  test("of a finalizer owns that one, and leaves the others", async () => {
    await using stub = await startKubeStub();
    stub.put(service("a", { metadata: { finalizers: ["x/y"] } }));
    const { body } = await apply(stub, "a/force", "fairlead-finalizer", {
      metadata: { ...identityOf(stub, "a"), ...HOLD.metadata },
    });
    assert.deepEqual(childOf(body, "metadata")["finalizers"], ["x/y", "fairlead.io/release"]);
    assert.deepEqual(writersOf(body), [
      'fairlead-finalizer Apply - {"f:metadata":{"f:finalizers":{"v:\\"fairlead.io/release\\"":{}}}}',
    ]);
    const again = await apply(stub, "a/force", "other", HOLD);
    assert.equal(writersOf(again.body).length, 2);
    await apply(stub, "a/force", "fairlead-finalizer", {});
    const kept = stub.get("Service", "default", "a") ?? {};
    assert.deepEqual(childOf(kept, "metadata")["finalizers"], ["x/y", "fairlead.io/release"]);
    const { body: last } = await apply(stub, "a/force", "other", {});
    assert.deepEqual(childOf(last, "metadata")["finalizers"], ["x/y"]);
  });

  test("of a status fills in the mode of an address, and owns its fields", async () => {
    await using stub = await startKubeStub();
    stub.put(service("a"));
    const { body } = await apply(stub, "a/status/force", "fairlead-status", serving("192.0.2.1"));
    assert.deepEqual(body["status"], {
      loadBalancer: { ingress: [{ ip: "192.0.2.1", ipMode: "VIP" }] },
      conditions: [condition("True")],
    });
    assert.deepEqual(writersOf(body), [
      'fairlead-status Apply status {"f:status":{"f:conditions":{"k:{\\"type\\":\\"X\\"}":' +
        '{".":{},"f:lastTransitionTime":{},"f:message":{},"f:reason":{},"f:status":{},' +
        '"f:type":{}}},"f:loadBalancer":{"f:ingress":{}}}}',
    ]);
  });

  test("of the same again writes nothing", async () => {
    let wallMs = 0;
    await using stub = await startKubeStub({ wallMs: () => (wallMs += 1000) });
    stub.put(service("a"));
    const once = await apply(stub, "a/status/force", "m", serving("192.0.2.1"));
    const twice = await apply(stub, "a/status/force", "m", serving("192.0.2.1"));
    assert.deepEqual(twice, { ...once, headers: twice.headers });
  });

  test("of less takes off what it alone had owned", async () => {
    await using stub = await startKubeStub();
    stub.put(service("a", { status: { conditions: [{ ...condition("False"), type: "Y" }] } }));
    await apply(stub, "a/status/force", "m", serving("192.0.2.1"));
    const { conditions } = childOf(serving("192.0.2.1"), "status");
    const less = await apply(stub, "a/status/force", "m", { status: { conditions } });
    assert.deepEqual(childOf(less.body, "status")["loadBalancer"], {});
    const { body } = await apply(stub, "a/status/force", "m", { status: {} });
    assert.deepEqual(body["status"], {
      loadBalancer: {},
      conditions: [{ ...condition("False"), type: "Y" }],
    });
    assert.deepEqual(writersOf(body), ['m Apply status {"f:status":{}}']);
    const more = await apply(stub, "a/status/force", "m", serving("192.0.2.1"));
    assert.equal(listOf(childOf(more.body, "status"), "conditions").length, 2);
  });

  test("without force takes nothing from others, and says whose it is", async () => {
    await using stub = await startKubeStub();
    stub.put(service("a"));
    await apply(stub, "a/status/force", "ours", serving("192.0.2.1"));
    const { status, body } = await apply(stub, "a/status", "theirs", serving("192.0.2.9", "False"));
    assert.equal(status, 409);
    assert.equal(
      textOf(body, "message"),
      'Apply failed with 2 conflicts: conflicts with "ours" with subresource "status":\n' +
        '- .status.conditions[type="X"].status\n' +
        "- .status.loadBalancer.ingress",
    );
    const causes = listOf(childOf(body, "details"), "causes").filter(isJson);
    assert.deepEqual(causes[1]?.["field"], ".status.loadBalancer.ingress");
    const one = { status: { loadBalancer: { ingress: [{ ip: "192.0.2.9" }] } } };
    assert.equal(
      textOf((await apply(stub, "a/status", "theirs", one)).body, "message"),
      'Apply failed with 1 conflict: conflict with "ours" with subresource "status": ' +
        ".status.loadBalancer.ingress",
    );
  });

  test("with force takes over, and the first owner's end changes nothing more", async () => {
    await using stub = await startKubeStub();
    stub.put(service("a"));
    await apply(stub, "a/status/force", "ours", serving("192.0.2.1"));
    const taken = await apply(stub, "a/status/force", "theirs", serving("192.0.2.9", "False"));
    const [ours, theirs] = writersOf(taken.body);
    assert.doesNotMatch(ours ?? "", /ingress|f:status":\{\},/u);
    assert.match(theirs ?? "", /ingress/u);
    const { body } = await apply(stub, "a/status/force", "ours", { status: {} });
    assert.deepEqual(childOf(body, "status"), {
      loadBalancer: { ingress: [{ ip: "192.0.2.9", ipMode: "VIP" }] },
      conditions: [condition("False")],
    });
  });

  test("to the object leaves its status alone, and one to the status its spec", async () => {
    await using stub = await startKubeStub();
    const before = stub.put(service("a"));
    const object = await apply(stub, "a", "m", serving("192.0.2.1"));
    assert.deepEqual(object.body["status"], before["status"]);
    const status = await apply(stub, "a/status", "m", { spec: { type: "ClusterIP" }, status: {} });
    assert.deepEqual(status.body["spec"], before["spec"]);
  });

  test("of an address to a Service of another type is invalid", async () => {
    await using stub = await startKubeStub();
    stub.put(service("a", { spec: { type: "ClusterIP", ports: [{ port: 80 }] } }));
    const { status, body } = await apply(stub, "a/status/force", "m", serving("192.0.2.1"));
    assert.equal(status, 422);
    assert.match(textOf(body, "message"), /may only be used when `spec.type` is 'LoadBalancer'$/u);
  });

  test("after somebody else's patch knows whose the fields are", async () => {
    await using stub = await startKubeStub();
    stub.put(service("a"));
    await apply(stub, "a/status/force", "ours", serving("192.0.2.1"));
    const ingress = [{ ip: "192.0.2.7", ipMode: "VIP" }];
    const body = { status: { loadBalancer: { ingress } } };
    await ask(stub, "PATCH", `${A}/status?fieldManager=theirs`, { body, type: MERGE });
    const kept = stub.get("Service", "default", "a") ?? {};
    const [ours, theirs] = writersOf(kept);
    assert.doesNotMatch(ours ?? "", /ingress/u);
    assert.equal(theirs, 'theirs Update status {"f:status":{"f:loadBalancer":{"f:ingress":{}}}}');
    stub.put(serviceWith(kept, "192.0.2.8"), { manager: "third", subresource: "status" });
    const last = stub.get("Service", "default", "a") ?? {};
    assert.match(writersOf(last).at(-1) ?? "", /^third Update status .*ingress/u);
  });
});

function serviceWith(object: Json, ip: string): Json {
  const metadata = { ...childOf(object, "metadata") };
  const status = { loadBalancer: { ingress: [{ ip }] } };
  return { ...object, metadata, status };
}
