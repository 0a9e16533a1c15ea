// The REST server on a real socket: what hostile and mistaken clients get, whatever the routes are.

import assert from "node:assert/strict";
import { once } from "node:events";
import { type IncomingHttpHeaders, request as httpRequest } from "node:http";
import { connect } from "node:net";
import { suite, test } from "node:test";

import { EdgeError, createLogger, isEdgeError } from "@fairlead/runtime";

import { type RestServer, createRestServer } from "./rest-server.ts";
import type { Route } from "./route.ts";

const ROUTES: readonly Route[] = [
  {
    method: "GET",
    path: "/things/:thing",
    handle: ({ params, query }) => {
      return { kind: "reply", status: 200, body: { ...params, query: [...query] } };
    },
  },
  {
    method: "POST",
    path: "/things",
    bodyBytesMax: 100,
    handle: ({ body }) => ({ kind: "reply", status: 201, body: { got: body ?? "nothing" } }),
  },
  { method: "DELETE", path: "/things/:thing", handle: () => ({ kind: "reply", status: 204 }) },
  { method: "GET", path: "/full", handle: () => Promise.reject(storeError("NO_SPACE")) },
  { method: "GET", path: "/busy", handle: () => Promise.reject(storeError("BUSY")) },
  { method: "GET", path: "/standby", handle: () => Promise.reject(storeError("NOT_LEADING")) },
];

suite("a request", () => {
  test("leads to the route of its method and path", async () => {
    await using server = await start();
    const read = await ask(server, { path: "/things/a%20b?x=1&x=2" });
    const query = [
      ["x", "1"],
      ["x", "2"],
    ];
    assert.deepEqual([read.status, read.json], [200, { thing: "a b", query }]);
    const made = await ask(server, { method: "POST", path: "/things", body: '{"a":1}' });
    assert.deepEqual([made.status, made.json], [201, { got: { a: 1 } }]);
    const bare = await ask(server, { method: "POST", path: "/things" });
    assert.deepEqual(bare.json, { got: "nothing" });
    const gone = await ask(server, { method: "DELETE", path: "/things/a" });
    assert.deepEqual([gone.status, gone.text], [204, ""]);
    const head = await ask(server, { method: "HEAD", path: "/things/a" });
    assert.deepEqual([head.status, head.text], [200, ""]);
  });

  const cases: readonly {
    readonly name: string;
    readonly asked: Asked;
    readonly status: number;
    readonly code: string;
    readonly why: RegExp;
  }[] = [
    {
      name: "to nowhere",
      asked: { path: "/thing/a" },
      status: 404,
      code: "UnknownRoute",
      why: /^nothing is at "\/thing\/a"$/,
    },
    {
      name: "to a path that cannot be decoded",
      asked: { path: "/things/%ff" },
      status: 404,
      code: "UnknownRoute",
      why: /%ff/,
    },
    {
      name: "with a method that the path has not",
      asked: { method: "PATCH", path: "/things/a" },
      status: 405,
      code: "MethodNotAllowed",
      why: /^PATCH is not among GET, DELETE$/,
    },
    {
      name: "with a body that is no JSON",
      asked: { method: "POST", path: "/things", body: "{" },
      status: 400,
      code: "BadRequest",
      why: /no JSON/,
    },
    {
      name: "with a body that is no UTF-8",
      asked: { method: "POST", path: "/things", body: Buffer.from([0x22, 0xff, 0x22]) },
      status: 400,
      code: "BadRequest",
      why: /UTF-8/,
    },
    {
      name: "with a body of the kind that any web page may send",
      asked: {
        method: "POST",
        path: "/things",
        body: "{}",
        headers: { "content-type": "text/plain" },
      },
      status: 415,
      code: "NotJson",
      why: /^content-type is "text\/plain"$/,
    },
    {
      name: "with a body that says that it is too large",
      asked: { method: "POST", path: "/things", body: `"${"x".repeat(99)}"` },
      status: 413,
      code: "BodyTooLarge",
      why: /^this route reads 100 bytes$/,
    },
    {
      name: "with a body that turns out too large",
      asked: {
        method: "POST",
        path: "/things",
        body: `"${"x".repeat(99)}"`,
        headers: { "transfer-encoding": "chunked" },
      },
      status: 413,
      code: "BodyTooLarge",
      why: /^this route reads 100 bytes$/,
    },
    {
      name: "that was lured here by another name",
      asked: { path: "/things/a", headers: { host: "evil.example:7701" } },
      status: 421,
      code: "ForeignHost",
      why: /^the host asked for is "evil.example:7701"$/,
    },
    {
      name: "while the store cannot be written",
      asked: { path: "/full" },
      status: 503,
      code: "StoreUnavailable",
      why: /^the disk is full$/,
    },
    {
      name: "to one that does not lead",
      asked: { path: "/standby" },
      status: 503,
      code: "NotLeading",
      why: /^the disk is full$/,
    },
    {
      name: "of too many",
      asked: { path: "/busy" },
      status: 503,
      code: "Busy",
      why: /^the disk is full$/,
    },
  ];
  for (const { name, asked, status, code, why } of cases) {
    test(`${name} is refused in four parts`, async () => {
      await using server = await start();
      const answer = await ask(server, asked);
      assert.equal(answer.status, status);
      assert.equal(answer.headers["content-type"], "application/problem+json");
      const { type, title, detail, todo, ...rest } = answer.json as Record<string, unknown>;
      assert.deepEqual(rest, { status, code });
      assert.equal(type, `urn:fairlead:problem:${code}`);
      assert.match(String(detail), why);
      for (const part of [title, todo]) assert.match(String(part), /^[a-z].{5,}[^.]$/);
      // Whatever it was, the next one is served.
      assert.equal((await ask(server, { path: "/things/next" })).status, 200);
    });
  }

  test("names by which the loopback is called are all good", async () => {
    await using server = await start();
    for (const host of ["localhost", "LOCALHOST:7701", "127.0.0.1:7701", "[::1]:7701", "[::1]"]) {
      const { status } = await ask(server, { path: "/things/a", headers: { host } });
      assert.equal(status, 200, host);
    }
  });

  test("that breaks off in its body disturbs nobody", async () => {
    await using server = await start();
    const socket = connect(server.address);
    await once(socket, "connect");
    const head = "POST /things HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n";
    socket.write(`${head}content-length: 50\r\n\r\n{"a":`);
    assert.equal((await ask(server, { path: "/things/a" })).status, 200);
    socket.resetAndDestroy();
    await once(socket, "close");
    assert.equal((await ask(server, { path: "/things/a" })).status, 200);
  });
});

test("a port that is taken is said so", async () => {
  await using first = await start();
  await assert.rejects(start(first.address.port), (error) => isEdgeError(error, "PORT_TAKEN"));
});

function storeError(code: string): EdgeError {
  return new EdgeError({ code, message: "the disk is full", retryable: true });
}

async function start(port = 0): Promise<RestServer> {
  return await createRestServer({
    listen: { host: "127.0.0.1", port },
    log: createLogger({ level: "silent", format: "json" }),
    routes: ROUTES,
  });
}

interface Asked {
  readonly method?: string;
  readonly path: string;
  readonly body?: string | Buffer;
  readonly headers?: Readonly<Record<string, string>>;
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** Undefined when the body is empty. */
  readonly json: unknown;
}

async function ask({ address }: RestServer, asked: Asked): Promise<Answer> {
  const { method = "GET", path, body, headers } = asked;
  const typed = body === undefined ? {} : { "content-type": "application/json" };
  const isChunked = headers?.["transfer-encoding"] !== undefined;
  const sized =
    body === undefined || isChunked ? {} : { "content-length": Buffer.byteLength(body) };
  const request = httpRequest({
    ...address,
    agent: false,
    method,
    path,
    headers: { ...typed, ...sized, ...headers },
  });
  request.end(body);
  const [response] = (await once(request, "response")) as [
    AsyncIterable<Buffer> & { readonly statusCode: number; readonly headers: IncomingHttpHeaders },
  ];
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString();
  const { statusCode: status } = response;
  const json: unknown = text === "" ? undefined : JSON.parse(text);
  return { status, headers: response.headers, text, json };
}
