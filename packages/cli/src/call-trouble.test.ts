// What an operator reads when a call fails: grpc-js's own words as they were met, and what is made
// of them.

import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { test } from "node:test";
import { promisify } from "node:util";

import { Metadata, type ServiceError, status } from "@grpc/grpc-js";

import { isEdgeError } from "@fairlead/runtime";
import { callTrouble, ListKind } from "@fairlead/wire";

import { createAdminClient } from "./admin-client.ts";

function failed(code: status, details: string): ServiceError {
  return Object.assign(new Error(`${code} ${details}`), {
    code,
    details,
    metadata: new Metadata(),
  });
}

const NONE = "No connection established. Last error:";
const cases: readonly (readonly [string, ServiceError | null, ReturnType<typeof callTrouble>])[] = [
  [
    "a port where nobody listens",
    failed(
      status.UNAVAILABLE,
      `${NONE} Error: connect ECONNREFUSED 192.0.2.1:7705. Resolution note: `,
    ),
    { kind: "silent", why: "connect ECONNREFUSED 192.0.2.1:7705" },
  ],
  [
    "a port of something else",
    failed(
      status.UNAVAILABLE,
      `${NONE} Protocol error (2026-11-28T11:33:45.153Z). Resolution note: `,
    ),
    { kind: "somebody-else", why: "what answers there does not speak gRPC" },
  ],
  [
    "a name that there is not",
    failed(status.UNAVAILABLE, "Name resolution failed for target dns:lb9:7705"),
    { kind: "silent", why: "there is no host of that name" },
  ],
  [
    "a name server that is silent",
    failed(status.DEADLINE_EXCEEDED, "Deadline exceeded after 4.996s,waiting for name resolution"),
    { kind: "silent", why: "nobody resolved the host's name in time" },
  ],
  [
    "a host that is silent",
    failed(status.DEADLINE_EXCEEDED, "Deadline exceeded after 5.000s,Waiting for LB pick"),
    { kind: "silent", why: "no connection in time" },
  ],
  [
    "a controller that is busy",
    failed(
      status.DEADLINE_EXCEEDED,
      "Deadline exceeded after 5.000s,LB pick: 0.003s,remote_addr=192.0.2.1:7705",
    ),
    { kind: "silent", why: "no answer in time" },
  ],
  [
    "the agents' port",
    failed(
      status.UNIMPLEMENTED,
      "The server does not implement the method /fairlead.v1.AdminService/List",
    ),
    { kind: "somebody-else", why: "what answers there does not know this question" },
  ],
  [
    "an error of the controller",
    failed(status.INTERNAL, "a bug"),
    { kind: "answered", why: "a bug" },
  ],
  ["no answer at all", null, { kind: "answered", why: "nothing" }],
];

for (const [name, error, expected] of cases) {
  test(`${name} is said in words`, () => assert.deepEqual(callTrouble(error), expected));
}

test("who waits for something that takes connections and says nothing is told so", async () => {
  await using mute = await somethingElse(() => undefined);
  const { promise: isTold, resolve: onSlow } = Promise.withResolvers<void>();
  using client = createAdminClient({ server: mute.place, deadlineMs: 2500, onSlow });
  const asked = client.list([ListKind.AGENTS]);
  await Promise.all([isTold, assert.rejects(asked, (error) => isEdgeError(error, "UNREACHABLE"))]);
});

test("a web server in the controller's place is no controller that is away", async () => {
  await using web = await somethingElse((socket) => {
    socket.end("HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n");
  });
  const options = { server: web.place, deadlineMs: 5000, onSlow: () => undefined };
  using client = createAdminClient(options);
  await assert.rejects(client.list([ListKind.AGENTS]), (error) =>
    isEdgeError(error, "NO_CONTROLLER"),
  );
});

/** What listens in a controller's place. Connections end with it, also those nobody closed. */
async function somethingElse(
  greet: (socket: Socket) => void,
): Promise<AsyncDisposable & { readonly place: string }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.on("error", () => undefined));
    greet(socket);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    place: `127.0.0.1:${port}`,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await promisify(server.close.bind(server))();
    },
  };
}
