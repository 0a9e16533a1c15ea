// What a bad answer of an API server comes to: its code, its words, and how long to wait.

import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { createFakeClock } from "@fairlead/runtime";
import { type KubeStub, type RawServer, startKubeStub, startRawServer } from "@fairlead/testkit";

import { createKubeClient, type KubeClient } from "./kube-client.ts";
import { isKubeError, type KubeErrorCode } from "./kube-errors.ts";

const LIST = { method: "GET", path: "/api/v1/services" } as const;
const LISTS = { resource: "services", verb: "list" } as const;

interface Bench extends AsyncDisposable {
  readonly stub: KubeStub;
  readonly client: KubeClient;
}

async function bench(): Promise<Bench> {
  const stub = await startKubeStub();
  return { stub, client: clientOf(stub), [Symbol.asyncDispose]: () => stub[Symbol.asyncDispose]() };
}

function clientOf({ server }: Pick<RawServer, "server">): KubeClient {
  const access = { server, requestOptions: () => Promise.resolve({}) };
  return createKubeClient({ access, clock: createFakeClock(), userAgent: "t" });
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

suite("a bad answer", () => {
  const cases: readonly { readonly status: number; readonly code: KubeErrorCode }[] = [
    { status: 400, code: "INVALID" },
    { status: 401, code: "UNAUTHORIZED" },
    { status: 403, code: "FORBIDDEN" },
    { status: 404, code: "NOT_FOUND" },
    { status: 405, code: "INVALID" },
    { status: 409, code: "CONFLICT" },
    { status: 410, code: "GONE" },
    { status: 413, code: "INVALID" },
    { status: 415, code: "INVALID" },
    { status: 422, code: "INVALID" },
    { status: 429, code: "THROTTLED" },
    { status: 500, code: "SERVER" },
    { status: 502, code: "SERVER" },
    { status: 503, code: "SERVER" },
    { status: 504, code: "SERVER" },
    { status: 301, code: "SERVER" },
    { status: 418, code: "SERVER" },
  ];
  for (const { status, code } of cases) {
    test(`of status ${status} is ${code}`, async () => {
      await using at = await bench();
      at.stub.fault({ when: LISTS, do: { kind: "answer", status } });
      assert.equal(await codeOf(at.client.request(LIST)), code);
    });
  }

  test("says the request and the server's own words", async () => {
    await using at = await bench();
    at.stub.forbid({ verb: "list", resource: "services" });
    await assert.rejects(at.client.request(LIST), {
      code: "FORBIDDEN",
      message:
        'GET /api/v1/services: services is forbidden: User "fairlead" cannot list resource ' +
        '"services" in API group "" at the cluster scope',
    });
  });

  test("says for how long the server wants to be left alone, a minute at the most", async () => {
    await using at = await bench();
    const waits = [
      { status: 429, retryAfterS: 3, code: "THROTTLED", retryAfterMs: 3000 },
      { status: 503, retryAfterS: 1, code: "THROTTLED", retryAfterMs: 1000 },
      { status: 429, retryAfterS: 86_400, code: "THROTTLED", retryAfterMs: 60_000 },
      { status: 500, retryAfterS: 2, code: "SERVER", retryAfterMs: 2000 },
    ];
    for (const { status, retryAfterS, ...error } of waits) {
      at.stub.fault({ when: LISTS, do: { kind: "answer", status, retryAfterS } });
      await assert.rejects(at.client.request(LIST), error);
    }
  });

  test("of a proxy, which is no JSON, is told by its status and its beginning", async () => {
    await using at = await bench();
    at.stub.fault({ when: LISTS, do: { kind: "html", status: 502 } });
    await assert.rejects(at.client.request(LIST), { code: "SERVER", message: /: <html>/u });
  });

  test("that is cut short is still told by its status", async () => {
    const cut = "HTTP/1.1 429 Slow\r\nRetry-After: 4\r\nContent-Length: 900\r\n\r\n{";
    await using server = await startRawServer({ pieces: [cut] });
    const client = clientOf(server);
    await assert.rejects(client.request(LIST), {
      code: "THROTTLED",
      message: "GET /api/v1/services: HTTP 429",
      retryAfterMs: 4000,
    });
  });

  test("that is no HTTP is SERVER: somebody answers, and not as the API promises", async () => {
    await using server = await startRawServer({ pieces: ["SSH-2.0-OpenSSH_9.2\r\n"] });
    const client = clientOf(server);
    assert.equal(await codeOf(client.request(LIST)), "SERVER");
  });

  test("of status 200 that is no JSON is SERVER", async () => {
    await using at = await bench();
    at.stub.fault({ when: LISTS, do: { kind: "garbage" } });
    assert.equal(await codeOf(at.client.request(LIST)), "SERVER");
  });
});
