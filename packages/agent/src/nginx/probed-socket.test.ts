// A socket is asked as often as somebody wants a fresher answer, and what it did not answer is not
// remembered.

import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { createFakeClock } from "@fairlead/runtime";

import { createProbedSocket } from "./probed-socket.ts";

test("an answer is good for as long as is said, and only for the same socket", async () => {
  const folder = await mkdtemp(join(tmpdir(), "probed-"));
  let asked = 0;
  let id = "one";
  const server = createServer((socket) => {
    asked += 1;
    socket.on("error", () => undefined).end(id);
  });
  try {
    const path = join(folder, "a.sock");
    const { promise, resolve } = Promise.withResolvers<void>();
    server.listen(path, resolve);
    await promise;
    const clock = createFakeClock();
    const socket = createProbedSocket(clock, path);
    assert.equal(await socket.ask(250), "one", "nothing is known yet");
    id = "two";
    await clock.advance(249);
    assert.equal(await socket.ask(250), "one");
    assert.equal(asked, 1);
    assert.equal(await socket.ask(0), "two", "who wants to know it now is told");
    await clock.advance(250);
    assert.equal(await socket.ask(250), "two");
    assert.equal(asked, 3);

    id = "";
    assert.equal(await socket.ask(0), undefined);
    assert.equal(await socket.ask(250), undefined, "that there is no answer is not remembered");
    id = "three";
    assert.equal(await socket.ask(250), "three");
  } finally {
    server.close();
    await rm(folder, { recursive: true });
  }
  assert.equal(await createProbedSocket(createFakeClock(), undefined).ask(0), undefined);
});
