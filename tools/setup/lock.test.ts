// One at a time over processes: the second waits and says for whom, and a holder that was killed
// holds nothing.

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { withLock } from "./lock.mjs";

const HOLDER = `
  import { withLock } from ${JSON.stringify(new URL("lock.mjs", import.meta.url).href)};
  const options = { file: process.argv[1], waitMsMax: 60_000, onWait: () => {} };
  await withLock(options, () => {
    process.stdout.write("held");
    return new Promise((resolve) => process.stdin.once("data", resolve));
  });
  process.exit(0);
`;

test("the second waits for the first, and is told whom it waits for", async () => {
  await using place = createPlace();
  const first = await place.hold();
  const told: (number | undefined)[] = [];
  const options = { file: place.file, waitMsMax: 60_000 };
  const second = withLock({ ...options, onWait: (pid) => release(told, pid, first) }, () =>
    Promise.resolve("done"),
  );
  assert.equal(await second, "done");
  assert.deepEqual(told, [first.pid]);
});

test("a holder that was killed holds nothing", async () => {
  await using place = createPlace();
  const first = await place.hold();
  const killed = once(first, "exit");
  first.kill("SIGKILL");
  await killed;
  const options = { file: place.file, waitMsMax: 60_000, onWait: () => {} };
  assert.equal(await withLock(options, () => Promise.resolve("done")), "done");
});

test("who waits too long is told who holds it and where", async () => {
  await using place = createPlace();
  const first = await place.hold();
  const options = { file: place.file, waitMsMax: 20, onWait: () => {} };
  const refused = withLock(options, () => Promise.resolve("done"));
  await assert.rejects(refused, new RegExp(`process ${first.pid} has held ${place.file}`));
});

test("work that fails gives the lock back", async () => {
  await using place = createPlace();
  const options = { file: place.file, waitMsMax: 0, onWait: () => {} };
  const failing = withLock(options, () => Promise.reject(new Error("broken")));
  await assert.rejects(failing, /broken/);
  assert.equal(await withLock(options, () => Promise.resolve("done")), "done");
});

function release(told: (number | undefined)[], pid: number | undefined, first: ChildProcess): void {
  told.push(pid);
  first.stdin?.write("go");
}

interface Place extends AsyncDisposable {
  readonly file: string;
  /** Starts a process that holds the lock until it gets a byte. */
  readonly hold: () => Promise<ChildProcess>;
}

function createPlace(): Place {
  const folder = mkdtempSync(join(tmpdir(), "fairlead-lock-"));
  const file = join(folder, "lock");
  const children: ChildProcess[] = [];
  return {
    file,
    hold: async () => {
      const args = ["--input-type=module", "-e", HOLDER, file];
      const child = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "inherit"] });
      children.push(child);
      await once(child.stdout, "data");
      return child;
    },
    [Symbol.asyncDispose]: async () => {
      for (const child of children) {
        if (child.exitCode !== null || child.signalCode !== null) continue;
        const ended = once(child, "exit");
        child.kill("SIGKILL");
        await ended;
      }
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
