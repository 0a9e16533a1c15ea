// Workers are read anew when one comes or goes and for a while after that, else now and then. The
// test is their master.

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";

import { createFakeClock } from "@fairlead/runtime";

import { createWorkerLook } from "./workers.ts";

async function startWorker(): Promise<ChildProcess> {
  const child = spawn("/bin/sleep", ["60"], { argv0: "nginx: worker process", stdio: "ignore" });
  await once(child, "spawn");
  return child;
}

async function end(child: ChildProcess): Promise<void> {
  child.kill("SIGKILL");
  await once(child, "exit");
}

test("what is read of workers is kept while the same ones live, and not for long", async () => {
  const clock = createFakeClock();
  const look = createWorkerLook(clock);
  assert.deepEqual(look(process.pid), []);
  const first = await startWorker();
  const second = await startWorker();
  try {
    const seen = look(process.pid);
    assert.deepEqual(
      seen.map(({ pid }) => pid),
      [first.pid, second.pid],
    );
    await clock.advance(2999);
    const again = look(process.pid);
    assert.notEqual(again, seen, "one that came lately may soon say that it ends");
    await clock.advance(1);
    assert.equal(look(process.pid), again);
    await clock.advance(4998);
    assert.equal(look(process.pid), again);
    await clock.advance(1);
    assert.notEqual(look(process.pid), again, "memory is at most five seconds old");
    await end(first);
    assert.deepEqual(
      look(process.pid).map(({ pid }) => pid),
      [second.pid],
      "one that went is gone at once",
    );
    assert.deepEqual(look(2 ** 22 + 1), [], "another master has others");
  } finally {
    await end(second);
  }
});
