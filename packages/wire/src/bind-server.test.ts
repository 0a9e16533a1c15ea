// How a server ends: at once when nobody is there, and soon beside whoever never ends a connection.

import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { test } from "node:test";

import { Server } from "@grpc/grpc-js";

import { bindServer, closeServer } from "./bind-server.ts";

/** The client's connection preface and empty settings (RFC 9113 section 3.4). */
const PREFACE: Buffer = Buffer.concat([
  Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
  Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]),
]);

test("a server that nobody uses ends at once", async () => {
  const server = new Server();
  await bindServer(server, "127.0.0.1:0", { kind: "insecure" });
  await closeServer(server);
});

test("a caller that is gone without a word is not waited for", { timeout: 5000 }, async () => {
  const server = new Server();
  const port = await bindServer(server, "127.0.0.1:0", { kind: "insecure" });
  // It answers nothing, and never ends its side.
  const caller = connect({ host: "127.0.0.1", port, allowHalfOpen: true });
  caller.on("error", () => undefined);
  try {
    await once(caller, "connect");
    caller.write(PREFACE);
    await once(caller, "readable");
    await closeServer(server);
    assert.equal(caller.writable, true);
  } finally {
    caller.destroy();
  }
});
