// Reading a daemon's log since a mark, also over rotations by a real s6-log.

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { createDaemonLog } from "./daemon-log.ts";

interface Log extends AsyncDisposable {
  readonly dir: string;
  readonly child: ChildProcess;
  write(...lines: readonly string[]): void;
}

async function startLog(): Promise<Log> {
  const dir = await mkdtemp(join(tmpdir(), "fairlead-log-"));
  const child = spawn("s6-log", ["-b", "n5", "s4096", "T", dir], {
    stdio: ["pipe", "ignore", "inherit"],
  });
  return {
    dir,
    child,
    write: (...lines) => void child.stdin?.write(lines.map((line) => `${line}\n`).join("")),
    [Symbol.asyncDispose]: async () => {
      child.stdin?.end();
      await once(child, "exit");
      await rm(dir, { recursive: true });
    },
  };
}

test("only what was said after the mark, without the logger's time", async () => {
  await using log = await startLog();
  const daemonLog = createDaemonLog(log.dir);
  log.write("before");
  let mark = await daemonLog.mark();
  while (mark.offset === 0) mark = await daemonLog.mark();
  assert.deepEqual(await daemonLog.since(mark), []);
  log.write("after", "and more");
  let lines = await daemonLog.since(mark);
  while (lines.length < 2) lines = await daemonLog.since(mark);
  assert.deepEqual(lines, ["after", "and more"]);
});

test("a rotation between mark and look loses nothing", async () => {
  await using log = await startLog();
  const daemonLog = createDaemonLog(log.dir);
  log.write("before");
  let mark = await daemonLog.mark();
  while (mark.offset === 0) mark = await daemonLog.mark();
  const said = Array.from({ length: 150 }, (_, i) => `line ${i} ${"x".repeat(40)}`);
  log.write(...said);
  while (!(await readdir(log.dir)).some((name) => name.startsWith("@"))) {}
  let lines = await daemonLog.since(mark);
  while (lines.length < said.length) lines = await daemonLog.since(mark);
  assert.deepEqual(lines, said);
});

test("a log that does not exist yet is empty", async () => {
  const daemonLog = createDaemonLog("/nonexistent/log");
  assert.deepEqual(await daemonLog.since(await daemonLog.mark()), []);
});
