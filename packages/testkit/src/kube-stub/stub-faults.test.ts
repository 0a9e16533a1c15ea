// What goes wrong with the stub on command, as a plain client sees it; rights; and what is
// recorded.

import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { childOf, textOf } from "./json-tree.ts";
import { startKubeStub } from "./kube-stub.ts";
import { apply, ask, eventWords, namesIn, service, versionOf, watch } from "./stub-client.ts";

const SERVICES = "/api/v1/services";
const WATCH = `${SERVICES}?watch=1&resourceVersion=1000&allowWatchBookmarks=true`;
const LIST = { resource: "services", verb: "list" } as const;
const WATCHING = { resource: "services", verb: "watch" } as const;

suite("a fault", () => {
  test("is met once, by the requests that it is for", async () => {
    await using stub = await startKubeStub();
    const fault = stub.fault({
      when: LIST,
      do: { kind: "answer", status: 429, retryAfterS: 7, message: "slow down" },
    });
    assert.equal((await ask(stub, "GET", "/api/v1/nodes")).status, 200);
    const { status, headers, body } = await ask(stub, "GET", SERVICES);
    assert.deepEqual([status, headers.get("retry-after")], [429, "7"]);
    assert.deepEqual([body["kind"], body["message"], body["code"]], ["Status", "slow down", 429]);
    assert.equal((await ask(stub, "GET", SERVICES)).status, 200);
    assert.equal(fault.hits(), 1);
    await fault.met();
  });

  test("stays until it is disposed of, and the one told first is met first", async () => {
    await using stub = await startKubeStub();
    const down = { kind: "answer", status: 503 } as const;
    {
      using standing = stub.fault({ when: {}, do: down, times: Number.POSITIVE_INFINITY });
      stub.fault({ when: LIST, do: { kind: "answer", status: 500 } });
      for (const path of [SERVICES, "/api/v1/nodes", SERVICES]) {
        assert.equal((await ask(stub, "GET", path)).status, 503);
      }
      assert.equal(standing.hits(), 3);
    }
    assert.equal((await ask(stub, "GET", SERVICES)).status, 500);
    assert.equal((await ask(stub, "GET", SERVICES)).status, 200);
  });

  test("is for first or further pages, one namespace, one name, one subresource", async () => {
    await using stub = await startKubeStub();
    stub.put(service("a"));
    stub.put(service("b"));
    const fail = { kind: "answer", status: 500 } as const;
    stub.fault({ when: { page: "further" }, do: { kind: "answer", status: 410 } });
    stub.fault({ when: { name: "b", subresource: "status" }, do: fail });
    stub.fault({ when: { name: "a", subresource: "none", verb: "patch" }, do: fail });
    stub.fault({ when: { namespace: "other" }, do: fail });
    const { body } = await ask(stub, "GET", `${SERVICES}?limit=1`);
    const token = textOf(childOf(body, "metadata"), "continue");
    const further = await ask(stub, "GET", `${SERVICES}?limit=1&continue=${token}`);
    assert.equal(further.status, 410);
    assert.equal((await apply(stub, "a/status", "m", { status: {} })).status, 200);
    assert.equal((await apply(stub, "b", "m", {})).status, 200);
    assert.equal((await apply(stub, "b/status", "m", { status: {} })).status, 500);
    assert.equal((await apply(stub, "a", "m", {})).status, 500);
    const other = await ask(stub, "GET", "/api/v1/namespaces/other/services");
    assert.equal(other.status, 500);
  });

  test("can be a page of a proxy, or no JSON", async () => {
    await using stub = await startKubeStub();
    stub.fault({ when: LIST, do: { kind: "html", status: 502 } });
    stub.fault({ when: LIST, do: { kind: "garbage" } });
    const page = await fetch(`${stub.server}${SERVICES}`);
    assert.deepEqual([page.status, page.headers.get("content-type")], [502, "text/html"]);
    assert.match(await page.text(), /^<html>/u);
    await assert.rejects((await fetch(`${stub.server}${SERVICES}`)).json(), SyntaxError);
  });

  test("can cut before the head, in a body, or after so many bytes", async () => {
    await using stub = await startKubeStub();
    stub.put(service("a"));
    for (const where of ["head", "line", { afterBytes: 10 }] as const) {
      stub.fault({ when: LIST, do: { kind: "cut", where } });
      const asked = fetch(`${stub.server}${SERVICES}`);
      if (where === "head") await assert.rejects(asked);
      else await assert.rejects((await asked).text());
    }
    stub.fault({ when: LIST, do: { kind: "cut", where: { afterBytes: 10 } } });
    const cut = await watch(stub, SERVICES);
    assert.deepEqual(await cut.ended, { isWhole: false, text: '{"kind":"S' });
  });

  test("can cut a watch in the middle of its first line, or after so many bytes", async () => {
    await using stub = await startKubeStub();
    stub.fault({ when: WATCHING, do: { kind: "cut", where: "line" } });
    const inLine = await watch(stub, WATCH);
    await stub.watching("services");
    const stored = stub.put(service("a"));
    const line = JSON.stringify({ type: "ADDED", object: stored });
    const { isWhole, text } = await inLine.ended;
    assert.equal(isWhole, false);
    assert.equal(text, line.slice(0, text.length));
    assert.ok(text.length > 0 && text.length < line.length);
    stub.fault({ when: WATCHING, do: { kind: "cut", where: { afterBytes: line.length + 5 } } });
    const later = await watch(stub, WATCH);
    stub.put(service("b"));
    assert.equal((await later.ended).text.length, line.length + 5);
  });

  test("can leave a request without an answer", async () => {
    await using stub = await startKubeStub();
    const hang = stub.fault({ when: LIST, do: { kind: "hang" } });
    const stop = new AbortController();
    const asked = fetch(`${stub.server}${SERVICES}`, { signal: stop.signal });
    await hang.met();
    assert.equal((await ask(stub, "GET", SERVICES)).status, 200);
    assert.deepEqual(
      stub.requests(LIST).map(({ status }) => status),
      [undefined, 200],
    );
    stop.abort();
    await assert.rejects(asked);
  });

  test("can hold a request until it is released", async () => {
    await using stub = await startKubeStub();
    const delay = stub.fault({ when: LIST, do: { kind: "delay" } });
    const asked = ask(stub, "GET", SERVICES);
    await delay.met();
    stub.put(service("a"));
    delay.release();
    assert.deepEqual(namesIn((await asked).body), ["a"]);
  });

  test("can be a watch that opens and is silent", async () => {
    await using stub = await startKubeStub();
    stub.put(service("a"));
    stub.fault({ when: WATCHING, do: { kind: "silence" } });
    const silent = await watch(stub, WATCH);
    assert.equal(silent.status, 200);
    const heard = await watch(stub, WATCH);
    stub.bookmark();
    await heard.lines(2);
    silent.close();
    heard.close();
    assert.equal((await silent.ended).text, "");
  });

  test("can be an empty list, of the version of now", async () => {
    await using stub = await startKubeStub();
    stub.put(service("a"));
    stub.fault({ when: LIST, do: { kind: "empty-list" } });
    const { body } = await ask(stub, "GET", SERVICES);
    assert.deepEqual([namesIn(body), versionOf(body)], [[], "1001"]);
    assert.deepEqual(namesIn((await ask(stub, "GET", SERVICES)).body), ["a"]);
  });

  test("can be a list out of the past, its version too", async () => {
    await using stub = await startKubeStub();
    stub.put(service("a"));
    const snapshot = stub.snapshot();
    stub.put(service("b"));
    stub.fault({ when: LIST, do: { kind: "serve-snapshot", snapshot } });
    const { body } = await ask(stub, "GET", SERVICES);
    assert.deepEqual([namesIn(body), versionOf(body)], [["a"], "1001"]);
  });

  test("can be a watch with a very long line, with no JSON, or with an ERROR event", async () => {
    await using stub = await startKubeStub();
    stub.fault({ when: WATCHING, do: { kind: "long-line" } });
    stub.fault({ when: WATCHING, do: { kind: "garbage" } });
    stub.fault({ when: WATCHING, do: { kind: "error-event", code: 500, message: "oh" } });
    const long = await watch(stub, WATCH);
    assert.equal(eventWords((await long.lines(1))[0] ?? {}), "ADDED  @");
    long.close();
    assert.ok((await long.ended).text.length > 20_000_000);
    const garbage = await watch(stub, WATCH);
    await assert.rejects(garbage.lines(1), SyntaxError);
    garbage.close();
    const failed = await watch(stub, WATCH);
    const [line] = await failed.lines(1);
    assert.equal(line?.["type"], "ERROR");
    assert.equal(childOf(line ?? {}, "object")["code"], 500);
    assert.equal((await failed.ended).isWhole, true);
  });
});

suite("a right", () => {
  const cases = [
    {
      name: "at the cluster scope",
      path: SERVICES,
      right: { verb: "list", resource: "services" },
      words:
        'services is forbidden: User "fairlead" cannot list resource "services" ' +
        'in API group "" at the cluster scope',
    },
    {
      name: "in a group",
      path: "/apis/discovery.k8s.io/v1/endpointslices?watch=1",
      right: { verb: "watch", resource: "endpointslices" },
      words:
        'endpointslices.discovery.k8s.io is forbidden: User "fairlead" cannot watch resource ' +
        '"endpointslices" in API group "discovery.k8s.io" at the cluster scope',
    },
    {
      name: "in a namespace",
      path: "/api/v1/namespaces/default/services/a",
      right: { verb: "get", resource: "services", namespace: "default" },
      words:
        'services "a" is forbidden: User "fairlead" cannot get resource "services" ' +
        'in API group "" in the namespace "default"',
    },
  ] as const;
  for (const { name, path, right, words } of cases) {
    test(`${name} that is missing is told in the server's words, until it is given`, async () => {
      await using stub = await startKubeStub();
      stub.put(service("a"));
      stub.forbid(right);
      const { status, body } = await ask(stub, "GET", path);
      assert.deepEqual([status, textOf(body, "message")], [403, words]);
      stub.allow(right);
      const watching = await watch(stub, path);
      assert.equal(watching.status, 200);
      watching.close();
    });
  }

  test("to a subresource is one of its own", async () => {
    await using stub = await startKubeStub({ user: "someone" });
    stub.put(service("a"));
    stub.forbid({ verb: "patch", resource: "services/status" });
    const { status, body } = await apply(stub, "a/status", "m", { status: {} });
    assert.equal(status, 403);
    assert.match(
      textOf(body, "message"),
      /User "someone" cannot patch resource "services\/status"/u,
    );
    assert.equal((await apply(stub, "a", "m", {})).status, 200);
  });

  test("is nobody's whose credentials do not count", async () => {
    await using stub = await startKubeStub();
    stub.setCredentials(false);
    const { status, body } = await ask(stub, "GET", SERVICES);
    assert.deepEqual([status, body["message"]], [401, "Unauthorized"]);
    stub.setCredentials(true);
    assert.equal((await ask(stub, "GET", SERVICES)).status, 200);
  });
});

suite("every request", () => {
  test("is recorded with what it said and what it got", async () => {
    await using stub = await startKubeStub();
    stub.put(service("a"));
    await ask(stub, "GET", `${SERVICES}?limit=1`);
    await apply(stub, "a", "m", { metadata: { uid: "x" } });
    const [listed, applied] = stub.requests();
    assert.deepEqual([listed?.sequence, listed?.method, listed?.path], [1, "GET", SERVICES]);
    assert.deepEqual([listed?.query, listed?.userAgent], [{ limit: "1" }, "plain"]);
    assert.deepEqual([applied?.sequence, applied?.target?.name], [2, "a"]);
    assert.equal(applied?.contentType, "application/apply-patch+yaml");
    assert.deepEqual(applied?.body, {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "a", namespace: "default", uid: "x" },
    });
    assert.equal(applied?.status, 422);
  });

  test("is counted by its kind", async () => {
    await using stub = await startKubeStub();
    stub.put(service("a"));
    await ask(stub, "GET", SERVICES);
    await ask(stub, "GET", "/api/v1/nodes");
    await ask(stub, "GET", `${SERVICES.replace("/serv", "/namespaces/default/serv")}/a`);
    await apply(stub, "a", "m", {});
    const watching = await watch(stub, WATCH);
    await stub.asked({ verb: "watch" });
    await stub.asked(LIST, 1);
    assert.deepEqual(stub.counts(), { list: 2, watch: 1, get: 1, write: 1 });
    assert.deepEqual(stub.counts({ resource: "nodes" }), { list: 1, watch: 0, get: 0, write: 0 });
    stub.forgetRequests();
    assert.deepEqual(stub.counts(), { list: 0, watch: 0, get: 0, write: 0 });
    watching.close();
  });
});
