// Whether connections are ended at all, by what the kernel says of itself.

import assert from "node:assert/strict";
import { test } from "node:test";

import { createLogger } from "@fairlead/runtime";

import { openClientConnections } from "./client-connections.ts";
import type { ClientConnections } from "./ports.ts";

const OPENED: ClientConnections = {
  end: () => Promise.resolve(0),
  [Symbol.asyncDispose]: () => Promise.resolve(),
};

async function open(problem?: string): Promise<[ClientConnections | undefined, string]> {
  const lines: string[] = [];
  const destination = { write: (line: string): unknown => lines.push(line) };
  const opened = await openClientConnections({
    log: createLogger({ level: "info", format: "json", destination }),
    socketEndingProblem: () => Promise.resolve(problem),
    open: () => Promise.resolve(OPENED),
  });
  return [opened, lines.join("")];
}

test("connections were told as reset by a kernel that ends no sockets: it is told that they stay", async () => {
  const [opened, said] = await open("Request rejected: EOPNOTSUPP");
  assert.equal(opened, undefined);
  assert.match(said, /EOPNOTSUPP.*connections to addresses that leave this host stay/);
});

test("a kernel that ends them is not spoken of", async () => {
  assert.deepEqual(await open(), [OPENED, ""]);
});
