// The health server over real HTTP on a loopback port that the kernel chose.

import assert from "node:assert";
import { once } from "node:events";
import { connect } from "node:net";
import { test } from "node:test";
import { isEdgeError } from "./errors.ts";
import { createHealthServer, type HealthReport, type HealthServer } from "./health-server.ts";
import { createMetrics } from "./metrics.ts";

const well: HealthReport = { ok: true, detail: [{ name: "store", ok: true }] };
const unwell: HealthReport = {
  ok: false,
  detail: [
    { name: "store", ok: true },
    { name: "sources", ok: false, detail: "not listed\nyet" },
  ],
};

async function startServer(
  ready: () => HealthReport,
): Promise<HealthServer & { readonly url: string }> {
  using metrics = createMetrics({ program: "test", version: "1" });
  const server = await createHealthServer({
    listen: { host: "127.0.0.1", port: 0 },
    registry: metrics.registry,
    health: () => well,
    ready,
  });
  return {
    address: server.address,
    url: `http://127.0.0.1:${server.address.port}`,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

test("metrics are served with the type that Prometheus wants", async () => {
  await using server = await startServer(() => well);
  const response = await fetch(`${server.url}/metrics`);
  assert.equal(response.status, 200);
  assert.match(response.headers.get("content-type") ?? "", /^text\/plain; version=0\.0\.4/u);
  assert.match(await response.text(), /fairlead_build_info/u);
});

test("health lists each check, and readiness says why not", async () => {
  await using server = await startServer(() => unwell);
  const health = await fetch(`${server.url}/healthz`);
  assert.equal(health.status, 200);
  assert.equal(await health.text(), "[+]store ok\nok\n");
  const ready = await fetch(`${server.url}/readyz`);
  assert.equal(ready.status, 503);
  assert.equal(await ready.text(), "[+]store ok\n[-]sources failed: not listed\\nyet\nfailed\n");
});

test("a program can ask for JSON", async () => {
  await using server = await startServer(() => unwell);
  const byHeader = await fetch(`${server.url}/readyz`, { headers: { accept: "application/json" } });
  assert.deepEqual(await byHeader.json(), unwell);
  const byQuery = await fetch(`${server.url}/readyz?format=json`);
  assert.deepEqual(await byQuery.json(), unwell);
});

test("other paths, methods and bodies are turned away", async () => {
  await using server = await startServer(() => well);
  assert.equal((await fetch(`${server.url}/`)).status, 404);
  assert.equal((await fetch(`${server.url}/metrics/../secret`)).status, 404);
  assert.equal((await fetch(`${server.url}/healthz`, { method: "POST", body: "x" })).status, 405);
  const head = await fetch(`${server.url}/healthz`, { method: "HEAD" });
  assert.equal(head.status, 200);
  assert.equal(await head.text(), "");
});

async function exchange(port: number, request: string): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  let answer = "";
  socket.setEncoding("utf8").on("data", (chunk) => (answer += String(chunk)));
  socket.on("error", () => undefined);
  socket.write(request);
  await once(socket, "close");
  return answer;
}

test("a GET with a body and a request with huge headers are cut off", async () => {
  await using server = await startServer(() => well);
  const { port } = server.address;
  const body = await exchange(
    port,
    "GET /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n",
  );
  assert.match(body, /^HTTP\/1\.1 413 /u);
  const huge = `GET /healthz HTTP/1.1\r\nHost: x\r\nX-A: ${"a".repeat(20_000)}\r\n\r\n`;
  assert.match(await exchange(port, huge), /^HTTP\/1\.1 431 /u);
});

test("a check that throws is an answer with status 500, not the end of the program", async () => {
  await using server = await startServer(() => {
    throw new Error("store\nclosed");
  });
  const response = await fetch(`${server.url}/readyz`);
  assert.equal(response.status, 500);
  assert.equal(await response.text(), "store\\nclosed\n");
});

test("a taken port is an error that names it", async () => {
  await using server = await startServer(() => well);
  using metrics = createMetrics({ program: "test", version: "1" });
  const second = createHealthServer({
    listen: server.address,
    registry: metrics.registry,
    health: () => well,
    ready: () => well,
  });
  await assert.rejects(second, (error) => {
    assert(isEdgeError(error, "PORT_TAKEN"));
    return error.message.includes(`127.0.0.1:${server.address.port}`);
  });
});

test("closing ends connections that are open", async () => {
  const server = await startServer(() => well);
  const socket = connect(server.address.port, "127.0.0.1");
  socket.on("error", () => undefined);
  await once(socket, "connect");
  const closed = once(socket, "close");
  await server[Symbol.asyncDispose]();
  await closed;
});
