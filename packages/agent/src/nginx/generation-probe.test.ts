// Each question is a connection of its own with an answer of its own, however often and by however
// many it is asked, and whatever became of the question before.

import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { createGenerationProbe } from "./generation-probe.ts";

async function withSocket(run: (path: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "probe-"));
  try {
    await run(join(folder, "a.sock"));
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Serves until it is disposed of. */
async function serve(path: string, answer: (socket: Socket) => void): Promise<AsyncDisposable> {
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    answer(socket.on("error", () => undefined));
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(path, resolve);
  await promise;
  return {
    [Symbol.asyncDispose]: async () => {
      for (const socket of open) socket.destroy();
      const closed = Promise.withResolvers<void>();
      server.close(() => closed.resolve());
      await closed.promise;
    },
  };
}

test("every question gets what is answered then, one after another and at once", () =>
  withSocket(async (path) => {
    let count = 0;
    const probe = createGenerationProbe(path);
    assert.equal(await probe.ask(), undefined, "nobody is there yet");
    await using _ = await serve(path, (socket) => void socket.end(`id-${(count += 1)}`));
    for (const id of ["id-1", "id-2", "id-3"]) assert.equal(await probe.ask(), id);
    const together = await Promise.all([probe.ask(), probe.ask(), probe.ask()]);
    assert.deepEqual(new Set(together), new Set(["id-4", "id-5", "id-6"]));
    assert.equal(await probe.ask(), "id-7");
    assert.equal(count, 7);
  }));

test("an answer in pieces is one, one without an end is none, nor is one that is too long", () =>
  withSocket(async (path) => {
    let answer = (socket: Socket): void => void socket.end("one\n");
    await using _ = await serve(path, (socket) => answer(socket));
    const probe = createGenerationProbe(path);
    assert.equal(await probe.ask(), "one");
    answer = (socket) => {
      socket.write("tw");
      setImmediate(() => socket.end("o"));
    };
    assert.equal(await probe.ask(), "two");
    answer = (socket) => void socket.end("x".repeat(1000));
    assert.equal(await probe.ask(), undefined);
    answer = (socket) => void socket.write("three");
    assert.equal(await probe.ask(), undefined, "within half a second");
    answer = (socket) => void socket.destroy();
    assert.equal(await probe.ask(), undefined);
    answer = (socket) => void socket.end();
    assert.equal(await probe.ask(), undefined);
    answer = (socket) => void socket.end("four");
    assert.equal(await probe.ask(), "four", "nothing of what was before is left");
  }));

test("one that ended and came back is heard again", () =>
  withSocket(async (path) => {
    const probe = createGenerationProbe(path);
    {
      await using _ = await serve(path, (socket) => void socket.end("before"));
      assert.equal(await probe.ask(), "before");
    }
    assert.equal(await probe.ask(), undefined);
    await using _ = await serve(path, (socket) => void socket.end("after"));
    assert.equal(await probe.ask(), "after");
  }));
