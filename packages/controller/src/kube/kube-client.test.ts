// Requests of the client to an API server: what comes back of good, broken and missing answers,
// when a request is given up, and that nothing stays behind.

import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { Agent } from "node:http";
import type { Socket } from "node:net";
import { suite, test } from "node:test";

import { createFakeClock, type FakeClock } from "@fairlead/runtime";
import { type KubeStub, type RawServer, startKubeStub, startRawServer } from "@fairlead/testkit";

import { ANSWER_MS_MAX, createKubeClient, type KubeClient } from "./kube-client.ts";
import { guardWrites } from "./guard-writes.ts";
import { isKubeError, type KubeErrorCode } from "./kube-errors.ts";

const LIST = { method: "GET", path: "/api/v1/services" } as const;
const LISTS = { resource: "services", verb: "list" } as const;

interface Bench extends AsyncDisposable {
  readonly stub: KubeStub;
  readonly clock: FakeClock;
  readonly client: KubeClient;
}

async function bench(): Promise<Bench> {
  const stub = await startKubeStub();
  const clock = createFakeClock();
  const client = createKubeClient({ access: stub.access, clock, userAgent: "fairlead/test" });
  return { stub, clock, client, [Symbol.asyncDispose]: () => stub[Symbol.asyncDispose]() };
}

function service(name: string, annotations: Readonly<Record<string, string>> = {}): object {
  return { kind: "Service", metadata: { name, annotations }, spec: { ports: [{ port: 80 }] } };
}

/** What the request came to, where that is an error with a code. */
async function codeOf(answer: Promise<unknown>): Promise<KubeErrorCode> {
  const error: unknown = await answer.then(
    () => assert.fail("it was answered"),
    (reason: unknown) => reason,
  );
  assert.ok(isKubeError(error), String(error));
  return error.code;
}

suite("a good answer", () => {
  test("comes whole, whatever characters are in it and however large it is", async () => {
    await using at = await bench();
    const { stub, client } = at;
    const text = "ä€😀".repeat(100_000);
    const stored = stub.put(service("a", { text }));
    const path = "/api/v1/namespaces/default/services/a";
    assert.deepEqual(await client.request({ method: "GET", path }), stored);
  });

  test("follows from path, query, headers and body as they were given", async () => {
    await using at = await bench();
    const { stub, client } = at;
    stub.put(service("a"));
    await client.request({
      method: "PATCH",
      path: "/api/v1/namespaces/default/services/a",
      query: { fieldManager: "a b&c" },
      contentType: "application/merge-patch+json",
      body: { metadata: { labels: { ä: "ü" } } },
    });
    const [request] = stub.requests();
    assert.equal(request?.userAgent, "fairlead/test");
    assert.deepEqual(request?.query, { fieldManager: "a b&c" });
    assert.deepEqual(request?.body, { metadata: { labels: { ä: "ü" } } });
    const accept = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";
    const list = await client.request({ ...LIST, accept });
    assert.equal((list as { readonly kind: string }).kind, "PartialObjectMetadataList");
  });
});

suite("no answer", () => {
  test("because nobody listens is UNREACHABLE, and names the cause", async () => {
    await using at = await bench();
    await at.stub.stop();
    await assert.rejects(at.client.request(LIST), (error: unknown) => {
      assert.ok(isKubeError(error, "UNREACHABLE"));
      assert.ok(error.retryable);
      assert.equal((error.cause as NodeJS.ErrnoException).code, "ECONNREFUSED");
      return true;
    });
  });

  test("names the proxy of the environment that was not used, and what would be", async () => {
    await using at = await bench();
    const access = { ...at.stub.access, unusedProxy: "HTTPS_PROXY" };
    const client = createKubeClient({ access, clock: at.clock, userAgent: "t" });
    const hint = /\(HTTPS_PROXY is set and not used: .* proxy-url in the kubeconfig\)$/u;
    const hang = at.stub.fault({ when: LISTS, do: { kind: "hang" } });
    const failed = assert.rejects(client.request(LIST), { code: "TIMEOUT", message: hint });
    await hang.met();
    await at.clock.advance(ANSWER_MS_MAX);
    await failed;
    at.stub.fault({ when: LISTS, do: { kind: "answer", status: 403 } });
    await assert.rejects(client.request(LIST), (error: Error) => !hint.test(error.message));
    await at.stub.stop();
    await assert.rejects(client.request(LIST), { code: "UNREACHABLE", message: hint });
  });

  test("because the connection ends before one begins is UNREACHABLE", async () => {
    await using at = await bench();
    at.stub.fault({ when: LISTS, do: { kind: "cut", where: "head" } });
    assert.equal(await codeOf(at.client.request(LIST)), "UNREACHABLE");
  });

  test("that is whole is CUT, wherever it ends", async () => {
    await using at = await bench();
    at.stub.put(service("a", { text: "x".repeat(200_000) }));
    for (const where of ["line", { afterBytes: 0 }, { afterBytes: 150_000 }] as const) {
      at.stub.fault({ when: LISTS, do: { kind: "cut", where } });
      assert.equal(await codeOf(at.client.request(LIST)), "CUT");
    }
  });

  test("within half a minute is TIMEOUT, and the connection is given up", async () => {
    await using at = await bench();
    const { stub, clock, client } = at;
    const hang = stub.fault({ when: LISTS, do: { kind: "hang" } });
    const answer = client.request(LIST);
    const failed = assert.rejects(answer, {
      code: "TIMEOUT",
      message: "GET /api/v1/services: no answer within 30 s",
    });
    await hang.met();
    await clock.advance(ANSWER_MS_MAX - 1);
    assert.equal(stub.connections(), 1);
    await clock.advance(1);
    await failed;
    assert.equal(clock.pendingTimers(), 0);
    assert.equal(await codeOf(at.client.request({ ...LIST, path: "/nothing" })), "NOT_FOUND");
  });

  test("from whoever has the credentials counts towards the same time", async () => {
    const clock = createFakeClock();
    const { promise: never } = Promise.withResolvers<never>();
    const access = { server: "http://127.0.0.1:1", requestOptions: () => never };
    const client = createKubeClient({ access, clock, userAgent: "t" });
    const failed = assert.rejects(client.request(LIST), { code: "TIMEOUT" });
    await clock.advance(ANSWER_MS_MAX);
    await failed;
  });

  test("because of bad credentials is told in the words of whoever has them", async () => {
    const trouble = new Error("the token is gone");
    const access = {
      server: "http://127.0.0.1:1",
      requestOptions: () => Promise.reject(trouble),
    };
    const client = createKubeClient({ access, clock: createFakeClock(), userAgent: "t" });
    await assert.rejects(client.request(LIST), trouble);
  });
});

test("credentials that the server refuses are told to whoever has them", async () => {
  await using at = await bench();
  let refusals = 0;
  const access = { ...at.stub.access, refused: () => void (refusals += 1) };
  const client = createKubeClient({ access, clock: at.clock, userAgent: "t" });
  const told = [];
  for (const status of [403, 401]) {
    at.stub.fault({ when: LISTS, do: { kind: "answer", status } });
    await codeOf(client.request(LIST));
    told.push(refusals);
  }
  assert.deepEqual(told, [0, 1]);
});

suite("a request that is given up", () => {
  const reason = new Error("no longer wanted");

  test("before it begins is never sent", async () => {
    await using at = await bench();
    await assert.rejects(at.client.request(LIST, AbortSignal.abort(reason)), reason);
    assert.deepEqual(at.stub.requests(), []);
  });

  test("by whoever sends it while it waits for its connection is never sent", async () => {
    await using at = await bench();
    const { promise: asked, resolve: ask } = Promise.withResolvers<() => void>();
    const agent = new Agent({ keepAlive: false });
    const connect = agent.createConnection.bind(agent);
    agent.createConnection = (options, then) => {
      ask(() => then?.(null, connect(options) as Socket));
      return undefined;
    };
    const { server } = at.stub.access;
    const access = { server, requestOptions: () => Promise.resolve({ agent }) };
    const client = createKubeClient({ access, clock: at.clock, userAgent: "fairlead/test" });
    let leads = true;
    const failed = codeOf(
      guardWrites(client, () => leads).request({ method: "POST", path: LIST.path, body: {} }),
    );
    const goOn = await asked;
    leads = false;
    goOn();
    assert.equal(await failed, "NOT_LEADING");
    assert.deepEqual(at.stub.requests(), []);
  });

  test("before its answer rejects with the reason", async () => {
    await using at = await bench();
    const hang = at.stub.fault({ when: LISTS, do: { kind: "hang" } });
    const stop = new AbortController();
    const failed = assert.rejects(at.client.request(LIST, stop.signal), reason);
    await hang.met();
    stop.abort(reason);
    await failed;
    assert.equal(at.clock.pendingTimers(), 0);
  });

  test("in the middle of its answer rejects with the reason", async () => {
    const head = "HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n";
    await using server = await startRawServer({ pieces: [head, "{"], stays: true });
    const stop = new AbortController();
    const clock = createFakeClock();
    const answer = clientOf(server, clock).request(LIST, stop.signal);
    await server.sent;
    await clock.settle();
    stop.abort(reason);
    await assert.rejects(answer, reason);
  });

  test("after its answer loses nothing", async () => {
    await using at = await bench();
    const stop = new AbortController();
    const answer = await at.client.request(LIST, stop.signal);
    stop.abort(reason);
    assert.equal((answer as { readonly kind: string }).kind, "ServiceList");
  });
});

test("a thousand requests, good, bad and given up, leave nothing behind", async () => {
  await using stub = await startKubeStub();
  const clock = createFakeClock();
  using agent = disposable(new Agent({ keepAlive: true, maxSockets: 4, maxFreeSockets: 4 }));
  const access = { ...stub.access, requestOptions: () => Promise.resolve({ agent: agent.value }) };
  const client = createKubeClient({ access, clock, userAgent: "t" });
  const warnings: Error[] = [];
  const onWarning = (warning: Error): void => void warnings.push(warning);
  process.on("warning", onWarning);
  const stop = new AbortController();
  stub.put(service("a"));
  let left = 1000;
  let answered = 0;
  const work = async (): Promise<void> => {
    for (let turn = left; turn > 0; turn = left) {
      left -= 1;
      const path = turn % 5 === 0 ? "/nothing" : LIST.path;
      const answer = client.request({ ...LIST, path }, stop.signal);
      await answer.catch((error: unknown) => assert.ok(isKubeError(error, "NOT_FOUND")));
      answered += 1;
    }
  };
  await Promise.all(Array.from({ length: 8 }, work));
  assert.equal(answered, 1000);
  assert.equal(stub.requests().length, 1000);
  assert.ok(stub.connections() <= 4, `${stub.connections()} connections`);
  assert.equal(getEventListeners(stop.signal, "abort").length, 0);
  assert.equal(clock.pendingTimers(), 0);
  for (const sockets of Object.values(agent.value.freeSockets)) {
    for (const socket of sockets ?? []) assert.ok(socket.listenerCount("error") <= 2);
  }
  process.off("warning", onWarning);
  assert.deepEqual(warnings, []);
});

function disposable(value: Agent): { readonly value: Agent } & Disposable {
  return { value, [Symbol.dispose]: () => value.destroy() };
}

function clientOf({ server }: RawServer, clock: FakeClock = createFakeClock()): KubeClient {
  const access = { server, requestOptions: () => Promise.resolve({}) };
  return createKubeClient({ access, clock, userAgent: "t" });
}
