// The supervisor on a real s6 in a sandbox: it outlives who started it, is adopted, restarts a
// killed daemon, and ends with nothing left over. The daemons are stand-ins that only sleep.

import assert from "node:assert/strict";
import { chmod, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { test } from "node:test";
import { createLogger, createSystemClock, runProgram } from "@fairlead/runtime";
import { inSandbox } from "@fairlead/testkit";
import { dataPlaneLayout } from "../data-plane-layout.ts";
import { createS6Supervisor, type S6Supervisor } from "./s6.ts";

/** Sleeps under the given name, with a child, as nginx and keepalived have one. */
const STAND_IN = `#!/bin/sh
echo "hello from $$"
sleep 3600 &
trap 'kill $!; exit 0' TERM
wait
`;

async function standIn(name: string): Promise<string> {
  await mkdir("/run/bin", { recursive: true });
  const path = `/run/bin/${name}`;
  await writeFile(path, STAND_IN);
  await chmod(path, 0o755);
  return path;
}

async function supervisorOn(runDir: string): Promise<S6Supervisor> {
  await mkdir(runDir, { recursive: true });
  return createS6Supervisor({
    layout: dataPlaneLayout(runDir),
    programs: {
      nginx: await standIn("nginx"),
      keepalived: await standIn("keepalived"),
      ip: "/usr/sbin/ip",
      s6Svscan: "/usr/bin/s6-svscan",
    },
    clock: createSystemClock(),
    logger: createLogger({ level: "silent", format: "json" }),
  });
}

/** Command lines of everything that runs in the sandbox, without zombies. */
async function running(): Promise<string[]> {
  const lines: string[] = [];
  for (const pid of await readdir("/proc")) {
    if (!/^[0-9]+$/.test(pid)) continue;
    const line = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
    if (line !== "") lines.push(line.replaceAll("\0", " ").trim());
  }
  return lines;
}

async function countRunning(word: string): Promise<number> {
  return (await running()).filter((line) => line.includes(word)).length;
}

inSandbox({ file: import.meta.url, name: "s6" }, () => {
  test("services stay down until they are started, and end() leaves nothing", async () => {
    const supervisor = await supervisorOn("/run/one");
    await supervisor.ensure();
    assert.deepEqual(await supervisor.nginx.state(), { up: false });
    assert.deepEqual(await supervisor.keepalived.state(), { up: false });
    await supervisor.nginx.start();
    const state = await supervisor.nginx.state();
    assert.equal(state.up, true);
    await supervisor.end();
    assert.equal(await countRunning("s6-"), 0);
    assert.equal(await countRunning("/run/bin"), 0);
    assert.equal(await countRunning("sleep"), 0);
  });

  test("a second agent on the folder adopts the living supervisor and its daemons", async () => {
    const first = await supervisorOn("/run/two");
    await first.ensure();
    await first.nginx.start();
    const before = await first.nginx.state();
    const second = await supervisorOn("/run/two");
    await second.ensure();
    assert.deepEqual(await second.nginx.state(), before);
    assert.equal(await countRunning("s6-svscan"), 1);
    await second.end();
    assert.equal(await countRunning("s6-"), 0);
  });

  test("two agents with run directories of their own do not meet", async () => {
    const a = await supervisorOn("/run/a");
    const b = await supervisorOn("/run/b");
    await Promise.all([a.ensure(), b.ensure()]);
    await a.nginx.start();
    assert.deepEqual(await b.nginx.state(), { up: false });
    await b.end();
    assert.equal((await a.nginx.state()).up, true);
    await a.end();
  });

  test("a killed daemon is back by itself, and what it left is ended first", async () => {
    const supervisor = await supervisorOn("/run/three");
    await supervisor.ensure();
    await supervisor.nginx.start();
    const mark = await supervisor.nginx.log.mark();
    const { pid } = await supervisor.nginx.state();
    assert.ok(pid !== undefined);
    process.kill(pid, "SIGKILL");
    for (;;) {
      const state = await supervisor.nginx.state();
      if (state.up && state.pid !== pid) break;
    }
    while ((await supervisor.nginx.log.since(mark)).every((line) => !line.startsWith("hello"))) {}
    assert.equal(await countRunning("/run/bin/nginx"), 1);
    await supervisor.end();
  });

  test("a killed scanner with living services is left as it is, and can be ended", async () => {
    const supervisor = await supervisorOn("/run/four");
    await supervisor.ensure();
    await supervisor.nginx.start();
    const before = await supervisor.nginx.state();
    const found = await runProgram({
      command: "ps",
      args: ["-C", "s6-svscan", "-o", "pid="],
      timeoutMs: 5000,
      maxOutputBytes: 1000,
    });
    process.kill(Number(found.stdout.trim()), "SIGKILL");
    await supervisor.ensure();
    assert.deepEqual(await supervisor.nginx.state(), before);
    await supervisor.end();
    assert.equal(await countRunning("s6-"), 0);
    assert.equal(await countRunning("/run/bin"), 0);
  });

  test("ending what was never started does nothing", async () => {
    const supervisor = await supervisorOn("/run/five");
    await supervisor.end();
    assert.equal(await countRunning("s6-"), 0);
  });
});
