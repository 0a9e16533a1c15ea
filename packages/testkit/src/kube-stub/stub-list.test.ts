// Lists of the stub: what they hold, in which order, page by page, and what is too old or not
// there.

import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { childOf, type Json, listOf, textOf } from "./json-tree.ts";
import { startKubeStub } from "./kube-stub.ts";
import { ask, namesIn, service, versionOf } from "./stub-client.ts";

const SERVICES = "/api/v1/services";
const METADATA = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";

function tokenOf(list: Json): string {
  return textOf(childOf(list, "metadata"), "continue");
}

suite("a list", () => {
  test("has all objects of a kind by namespace and name, and the version it is of", async () => {
    await using stub = await startKubeStub();
    stub.put(service("b"));
    stub.put(service("a"));
    stub.put(service("z", { metadata: { namespace: "a" } }));
    stub.put({ kind: "Node", metadata: { name: "n" } });
    const { body } = await ask(stub, "GET", SERVICES);
    assert.deepEqual(namesIn(body), ["z", "a", "b"]);
    assert.equal(body["kind"], "ServiceList");
    assert.equal(body["apiVersion"], "v1");
    assert.equal(versionOf(body), "1004");
    const one = await ask(stub, "GET", "/api/v1/namespaces/default/services");
    assert.deepEqual(namesIn(one.body), ["a", "b"]);
    const nodes = await ask(stub, "GET", "/api/v1/nodes");
    assert.deepEqual(namesIn(nodes.body), ["n"]);
    assert.equal(versionOf(nodes.body), "1004");
  });

  test("leaves out the kind of its items, which an object alone has", async () => {
    await using stub = await startKubeStub();
    stub.put(service("a"));
    const { body } = await ask(stub, "GET", SERVICES);
    const [item] = listOf(body, "items") as readonly Json[];
    assert.deepEqual(Object.keys(item ?? {}).toSorted(), ["metadata", "spec", "status"]);
    const alone = await ask(stub, "GET", "/api/v1/namespaces/default/services/a");
    assert.equal(alone.body["kind"], "Service");
  });

  test("of metadata alone has nothing else", async () => {
    await using stub = await startKubeStub();
    stub.put(service("a", { metadata: { labels: { of: "mine" } } }));
    const { body } = await ask(stub, "GET", SERVICES, { accept: METADATA });
    assert.equal(body["kind"], "PartialObjectMetadataList");
    const [item] = listOf(body, "items") as readonly Json[];
    assert.deepEqual(Object.keys(item ?? {}).toSorted(), ["apiVersion", "kind", "metadata"]);
    assert.deepEqual(childOf(childOf(item ?? {}, "metadata"), "labels"), { of: "mine" });
  });

  test("comes in pages that are all of one moment", async () => {
    await using stub = await startKubeStub();
    for (const name of ["a", "b", "c", "d", "e"]) stub.put(service(name));
    const first = await ask(stub, "GET", `${SERVICES}?limit=2`);
    assert.deepEqual(namesIn(first.body), ["a", "b"]);
    assert.equal(childOf(first.body, "metadata")["remainingItemCount"], 3);
    stub.remove("Service", "default", "c");
    stub.put(service("bb"));
    stub.put(service("d", { spec: { type: "LoadBalancer", ports: [{ port: 81 }] } }));
    const second = await ask(stub, "GET", `${SERVICES}?limit=2&continue=${tokenOf(first.body)}`);
    assert.deepEqual(namesIn(second.body), ["c", "d"]);
    assert.equal(versionOf(second.body), versionOf(first.body));
    const [, d] = listOf(second.body, "items") as readonly Json[];
    assert.deepEqual(childOf(d ?? {}, "spec")["ports"], [{ port: 80, protocol: "TCP" }]);
    const third = await ask(stub, "GET", `${SERVICES}?limit=2&continue=${tokenOf(second.body)}`);
    assert.deepEqual(namesIn(third.body), ["e"]);
    assert.equal(tokenOf(third.body), "");
    assert.deepEqual(namesIn((await ask(stub, "GET", SERVICES)).body), ["a", "b", "bb", "d", "e"]);
  });

  test("cannot be continued after a compaction but as a list of no one moment", async () => {
    await using stub = await startKubeStub();
    for (const name of ["a", "b", "c"]) stub.put(service(name));
    const first = await ask(stub, "GET", `${SERVICES}?limit=1`);
    stub.remove("Service", "default", "b");
    stub.compact();
    const gone = await ask(stub, "GET", `${SERVICES}?limit=1&continue=${tokenOf(first.body)}`);
    assert.equal(gone.status, 410);
    assert.equal(gone.body["reason"], "Expired");
    assert.match(textOf(gone.body, "message"), /^The provided continue parameter is too old/u);
    const rest = await ask(stub, "GET", `${SERVICES}?limit=9&continue=${tokenOf(gone.body)}`);
    assert.deepEqual(namesIn(rest.body), ["c"]);
    assert.equal(versionOf(rest.body), String(stub.version()));
  });

  test("of an exact version is of that one, or gone", async () => {
    await using stub = await startKubeStub();
    stub.put(service("a"));
    stub.put(service("b"));
    const exact = `${SERVICES}?resourceVersion=1001&resourceVersionMatch=Exact`;
    assert.deepEqual(namesIn((await ask(stub, "GET", exact)).body), ["a"]);
    const atLeast = await ask(stub, "GET", `${SERVICES}?resourceVersion=1001`);
    assert.deepEqual(namesIn(atLeast.body), ["a", "b"]);
    stub.compact();
    assert.equal((await ask(stub, "GET", exact)).status, 410);
  });

  test("of a version to come is refused, and so is one of no version", async () => {
    await using stub = await startKubeStub();
    const future = await ask(stub, "GET", `${SERVICES}?resourceVersion=9999`);
    assert.equal(future.status, 504);
    assert.equal(future.headers.get("retry-after"), "1");
    assert.match(
      textOf(future.body, "message"),
      /Too large resource version: 9999, current: 1000/u,
    );
    assert.equal((await ask(stub, "GET", `${SERVICES}?resourceVersion=x`)).status, 400);
    assert.equal((await ask(stub, "GET", `${SERVICES}?continue=x`)).status, 400);
  });
});

suite("a path", () => {
  const cases = [
    { name: "of nothing that is served", path: "/api/v1/pods", status: 404 },
    { name: "of a group that is not there", path: "/apis/discovery.k8s.io/v2/x", status: 404 },
    { name: "of a Service without its namespace", path: `${SERVICES}/a`, status: 404 },
    {
      name: "of a Service that is not there",
      path: `${SERVICES.replace("/serv", "/namespaces/default/serv")}/a`,
      status: 404,
    },
    { name: "of slices", path: "/apis/discovery.k8s.io/v1/endpointslices", status: 200 },
    {
      name: "of Events of one namespace",
      path: "/apis/events.k8s.io/v1/namespaces/x/events",
      status: 200,
    },
  ];
  for (const { name, path, status } of cases) {
    test(`${name} answers ${status}`, async () => {
      await using stub = await startKubeStub();
      assert.equal((await ask(stub, "GET", path)).status, status);
    });
  }

  test("with a method that it has not answers 405", async () => {
    await using stub = await startKubeStub();
    assert.equal((await ask(stub, "PUT", SERVICES)).status, 405);
  });
});
