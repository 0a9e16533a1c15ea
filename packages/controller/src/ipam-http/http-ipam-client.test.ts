// The client against the IPAM service that this controller serves, over real sockets, and against
// servers that say what no IPAM should.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, test } from "node:test";

import { parsePoolName, present } from "@fairlead/model";
import { createFakeClock, createLogger, formatHostPort, isEdgeError } from "@fairlead/runtime";
import {
  address,
  chunkedAnswer,
  type IpamClientStage,
  startRawServer,
  testIpamClientContract,
} from "@fairlead/testkit";

import { ipamRoutes } from "../api/rest/ipam-routes.ts";
import { createRestServer } from "../api/rest/rest-server.ts";
import { createIpamService } from "../ipam/ipam-service.ts";
import { randomUuid } from "../ipam/ipam-model.ts";
import { createSqliteIpamStore } from "../store/sqlite/sqlite-ipam-store.ts";
import { createHttpIpamClient } from "./http-ipam-client.ts";

testIpamClientContract("the client of an IPAM over HTTP", makeStage);

const NO_FILES = { filesDir: "/nonexistent", clock: createFakeClock() };
const UUID = "d0000000-0000-4000-8000-000000000001";
const LAN = present(parsePoolName("lan"), "a pool");
const WISH = { uuid: UUID, family: "ipv4", owner: "web" } as const;

interface BadAnswer {
  readonly name: string;
  /** All that the server says. */
  readonly says: readonly (string | Buffer)[];
  /** The code, or what a refusal says. */
  readonly code: string | RegExp;
}

const answers: readonly BadAnswer[] = [
  { name: "no HTTP", says: ["SSH-2.0-OpenSSH_9.2\r\n"], code: "BAD_ANSWER" },
  { name: "no JSON", says: chunkedAnswer(["<html>"]), code: "BAD_ANSWER" },
  {
    name: "the registration of somebody else",
    says: chunkedAnswer([JSON.stringify({ uuid: "another", address: "192.0.2.1" })]),
    code: "BAD_ANSWER",
  },
  {
    name: "an address that is none",
    says: chunkedAnswer([JSON.stringify({ uuid: UUID, address: "192.0.2.1; drop" })]),
    code: "BAD_ANSWER",
  },
  { name: "too much", says: chunkedAnswer([Buffer.alloc(1_100_000, " ")]), code: "BAD_ANSWER" },
  {
    name: "half an answer",
    says: ["HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"],
    code: "UNREACHABLE",
  },
  {
    name: "somewhere else",
    says: [answerOf("302 Found", "", "Location: http://elsewhere.example/\r\n")],
    code: "BAD_ANSWER",
  },
  { name: "nothing to strangers", says: [answerOf("401 Unauthorized", "")], code: "FORBIDDEN" },
  { name: "that it is busy", says: [answerOf("503 Busy", "")], code: "SERVER" },
  {
    name: "what no IPAM says",
    says: [answerOf("404 Not Found", "<html>")],
    code: /^HTTP 404, and no word of an IPAM$/u,
  },
  {
    name: "words that would spoil a terminal",
    says: [answerOf("409 Conflict", JSON.stringify({ code: "X", detail: "a\u001b[2Jb\nc" }))],
    code: /^a\\u001b\[2Jb\\nc \(X\)$/u,
  },
];

suite("an IPAM that says", () => {
  for (const { name, says, code } of answers) {
    test(name, async () => {
      await using server = await startRawServer({ pieces: says });
      using client = createHttpIpamClient(NO_FILES);
      const place = { url: server.server, pool: LAN, class: "lab" };
      if (typeof code === "string") {
        await assert.rejects(client.register(place, WISH), (error) => isEdgeError(error, code));
      } else {
        const answer = await client.register(place, WISH);
        assert.match(answer.kind === "refused" ? answer.detail : "", code);
      }
    });
  }
});

test("nobody there, and nobody who answers", async () => {
  const sockets: Socket[] = [];
  const server = createServer((socket) => sockets.push(socket.on("error", () => undefined)));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const at = server.address();
  const port = typeof at === "object" && at !== null ? at.port : 0;
  const account = { url: `http://127.0.0.1:${port}`, pool: LAN };
  using client = createHttpIpamClient({ ...NO_FILES, answerMsMax: 50 });
  await assert.rejects(client.release(account, UUID), (error) => isEdgeError(error, "TIMEOUT"));
  const secure = { ...account, url: `https://127.0.0.1:${port}` };
  server.on("connection", (socket) => socket.end("no TLS\r\n"));
  await assert.rejects(client.release(secure, UUID), (error) => isEdgeError(error, "UNTRUSTED"));
  for (const socket of sockets) socket.destroy();
  server.close();
  await once(server, "close");
  await assert.rejects(client.renew(account, [UUID]), (error) => isEdgeError(error, "UNREACHABLE"));
});

function answerOf(status: string, body: string, headers = ""): string {
  const length = `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n`;
  return `HTTP/1.1 ${status}\r\n${headers}${length}\r\n${body}`;
}

/** A service with class lab of three addresses that can be given, and a client of it. */
async function makeStage(): Promise<IpamClientStage> {
  const stack = new AsyncDisposableStack();
  const folder = mkdtempSync(join(tmpdir(), "fairlead-ipam-client-"));
  stack.defer(() => rmSync(folder, { recursive: true, force: true }));
  const store = stack.use(createSqliteIpamStore({ path: join(folder, "ipam.db") }));
  const clock = createFakeClock({});
  const log = createLogger({ level: "silent", format: "json" });
  const times = { leaseMs: 3_600_000, graceMs: 86_400_000 };
  const service = stack.use(await createIpamService({ store, clock, log, ...times }));
  const routes = ipamRoutes({ service, newUuid: randomUuid });
  const listen = { host: "127.0.0.1", port: 0 };
  const server = stack.use(await createRestServer({ listen, log, routes }));
  const url = `http://${formatHostPort(server.address)}`;
  for (const [path, body] of [
    ["classes", { name: "lab" }],
    ["netblocks", { class: "lab", range: "192.0.2.100-192.0.2.102" }],
  ] as const) {
    const headers = { "content-type": "application/json" };
    const sent = { method: "POST", headers, body: JSON.stringify(body) };
    assert.equal((await fetch(`${url}/ipam/v1/${path}`, sent)).status, 201);
  }
  const client = stack.use(createHttpIpamClient(NO_FILES));
  return {
    client,
    url,
    pool: LAN,
    class: "lab",
    addresses: [address("192.0.2.100"), address("192.0.2.101"), address("192.0.2.102")],
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}
