// A port that is taken: told once, by the error alone, and nothing stands between log records.

import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { test } from "node:test";

import { Server } from "@grpc/grpc-js";

import { bindServer } from "./bind-server.ts";

test("what grpc-js would print is not printed, and its message is the errno's", async (t) => {
  const printed = t.mock.method(console, "error", () => undefined);
  const other = createServer().listen(0, "127.0.0.1");
  await once(other, "listening");
  const place = `127.0.0.1:${(other.address() as AddressInfo).port}`;
  await assert.rejects(bindServer(new Server(), place, { kind: "insecure" }), {
    code: "EADDRINUSE",
    message: `listen EADDRINUSE: address already in use ${place}`,
  });
  other.close();
  assert.equal(printed.mock.callCount(), 0);
});
