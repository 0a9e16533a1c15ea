// The supervisor on a real s6 in a sandbox: it outlives who started it, is adopted, restarts a
// killed daemon, and ends with nothing left over. The daemons are stand-ins that only sleep.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, copyFile, mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { test } from "node:test";
import { createLogger, createSystemClock } from "@fairlead/runtime";
import { inSandbox } from "@fairlead/testkit";
import { dataPlaneLayout } from "../data-plane-layout.ts";
import { createS6Supervisor, type S6Supervisor } from "./s6.ts";
import { findPid, killS6, running } from "./s6-processes.ts";

/** Sleeps under the given name, with a child, as nginx and keepalived have one. */
const STAND_IN = `#!/bin/sh
trap 'kill $!; exit 0' TERM
"$0-child" 3600 &
echo "hello from $$"
wait
`;

async function standIn(name: string): Promise<string> {
  await mkdir("/run/bin", { recursive: true });
  const path = `/run/bin/${name}`;
  // One that runs cannot be written again.
  if (existsSync(path)) return path;
  await writeFile(path, STAND_IN);
  await chmod(path, 0o755);
  await copyFile("/bin/sleep", `${path}-child`);
  return path;
}

/** Ends with everything below it, also when a test fails. */
async function supervisorOn(
  runDir: string,
  places: { readonly scriptDir?: string; readonly s6Svscan?: string } = {},
): Promise<S6Supervisor & AsyncDisposable> {
  await mkdir(runDir, { recursive: true });
  const supervisor = createS6Supervisor({
    layout: dataPlaneLayout(runDir),
    programs: {
      nginx: await standIn("nginx"),
      keepalived: await standIn("keepalived"),
      ip: "/usr/sbin/ip",
      s6Svscan: "/usr/bin/s6-svscan",
      ...places,
    },
    clock: createSystemClock(),
    logger: createLogger({ level: "silent", format: "json" }),
  });
  return { ...supervisor, [Symbol.asyncDispose]: () => supervisor.end() };
}

/** A service is up before its run script has become the daemon. */
async function becomesRunning(word: string, count: number): Promise<void> {
  while ((await countRunning(word)) !== count) {}
}

/** What kills its supervisor before a daemon has noted who it is leaves one that nobody knows. */
async function startWhole(supervisor: S6Supervisor): Promise<void> {
  await supervisor.nginx.start();
  await becomesRunning("/run/bin/nginx-child", 1);
}

async function pidOf(command: string): Promise<number> {
  const pid = await findPid(command);
  assert.ok(pid !== undefined, command);
  return pid;
}

async function countRunning(word: string): Promise<number> {
  return (await running()).filter(([, line]) => line.includes(word)).length;
}

inSandbox({ file: import.meta.url, name: "s6" }, () => {
  test("services stay down until they are started, and end() leaves nothing", async () => {
    await using supervisor = await supervisorOn("/run/one");
    await supervisor.ensure();
    assert.deepEqual(await supervisor.nginx.state(), { up: false });
    assert.deepEqual(await supervisor.keepalived.state(), { up: false });
    await supervisor.nginx.start();
    const state = await supervisor.nginx.state();
    assert.equal(state.up, true);
    await supervisor.end();
    assert.equal(await countRunning("s6-"), 0);
    assert.equal(await countRunning("/run/bin"), 0);
    assert.equal(await countRunning("-child"), 0);
  });

  test("a second agent on the folder adopts the living supervisor and its daemons", async () => {
    await using first = await supervisorOn("/run/two");
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
    await using a = await supervisorOn("/run/a");
    await using b = await supervisorOn("/run/b");
    await Promise.all([a.ensure(), b.ensure()]);
    await a.nginx.start();
    assert.deepEqual(await b.nginx.state(), { up: false });
    await b.end();
    assert.equal((await a.nginx.state()).up, true);
    await a.end();
  });

  test("a killed daemon is back by itself, and what it left is ended first", async () => {
    await using supervisor = await supervisorOn("/run/three");
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
    await becomesRunning("/run/bin/nginx-child", 1);
    await supervisor.end();
  });

  test("a killed scanner with living services is left as it is, and can be ended", async () => {
    await using supervisor = await supervisorOn("/run/four");
    await supervisor.ensure();
    await supervisor.nginx.start();
    const before = await supervisor.nginx.state();
    process.kill(await pidOf("/usr/bin/s6-svscan "), "SIGKILL");
    await supervisor.ensure();
    assert.deepEqual(await supervisor.nginx.state(), before);
    await supervisor.end();
    assert.equal(await countRunning("s6-"), 0);
    assert.equal(await countRunning("/run/bin"), 0);
  });

  test("the supervisor leads a session of its own, so nobody's Ctrl-C reaches it", async () => {
    await using supervisor = await supervisorOn("/run/session");
    await supervisor.ensure();
    const pid = await pidOf("/usr/bin/s6-svscan ");
    const stat = await readFile(`/proc/${pid}/stat`, "utf8");
    const [, , group, session] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    assert.deepEqual([group, session], [String(pid), String(pid)]);
    await supervisor.end();
  });

  test("the supervisor of one service killed: the old daemon is ended, a new one runs", async () => {
    await using supervisor = await supervisorOn("/run/supervise");
    await supervisor.ensure();
    await startWhole(supervisor);
    const { pid } = await supervisor.nginx.state();
    process.kill(await pidOf("s6-supervise nginx "), "SIGKILL");
    for (;;) {
      const state = await supervisor.nginx.state();
      if (state.up && state.pid !== pid) break;
    }
    await becomesRunning("/run/bin/nginx-child", 1);
    await supervisor.end();
  });

  test("everything of s6 killed: the next agent starts anew, and no daemon runs twice", async () => {
    await using supervisor = await supervisorOn("/run/all");
    await supervisor.ensure();
    await startWhole(supervisor);
    await killS6();
    await becomesRunning("/run/bin/nginx-child", 1);
    await supervisor.ensure();
    assert.deepEqual(await supervisor.nginx.state(), { up: false });
    await supervisor.nginx.start();
    await becomesRunning("/run/bin/nginx-child", 1);
    await supervisor.end();
    await becomesRunning("/run/bin", 0);
  });

  test("everything of s6 killed below a living agent: what it starts is supervised again", async () => {
    await using supervisor = await supervisorOn("/run/below");
    await supervisor.ensure();
    await startWhole(supervisor);
    await killS6();
    await supervisor.nginx.start();
    await becomesRunning("/run/bin/nginx-child", 1);
    assert.equal((await supervisor.nginx.state()).up, true);
    await supervisor.end();
    await becomesRunning("/run/bin", 0);
  });

  test("ending finds daemons that lost their supervisor", async () => {
    await using supervisor = await supervisorOn("/run/lost");
    await supervisor.ensure();
    await startWhole(supervisor);
    await killS6();
    await supervisor.end();
    assert.equal(await countRunning("/run/bin"), 0);
  });

  test("a service that somebody starts while it is stopped: who stops it waits no longer", async () => {
    // Where the agent has just sent its command, the other's follows.
    await mkdir("/run/between/bin", { recursive: true });
    for (const name of ["svscan", "supervise", "log", "svok", "svstat", "svwait", "svscanctl"]) {
      await symlink(`/usr/bin/s6-${name}`, `/run/between/bin/s6-${name}`);
    }
    const script = `#!/bin/sh
/usr/bin/s6-svc "$@" || exit
for folder; do :; done
case " $* " in *' -d '*) exec /usr/bin/s6-svc -wu -u "$folder" ;; esac
`;
    await writeFile("/run/between/bin/s6-svc", script, { mode: 0o755 });
    const s6Svscan = "/run/between/bin/s6-svscan";
    await using supervisor = await supervisorOn("/run/between", { s6Svscan });
    await supervisor.ensure();
    await startWhole(supervisor);
    const before = await supervisor.nginx.state();
    await supervisor.nginx.stop();
    const after = await supervisor.nginx.state();
    assert.ok(after.up && after.pid !== before.pid, "it ended, and the other's runs");
    const { serviceDir } = dataPlaneLayout("/run/between");
    assert.ok(!existsSync(`${serviceDir}/nginx/down`), "and would after its supervisor's end");
  });

  test("a run directory that runs no programs, as /run on many hosts", async () => {
    await mkdir("/run/noexec");
    const args = ["-t", "tmpfs", "-o", "noexec", "tmpfs", "/run/noexec"];
    execFileSync("mount", args);
    await using supervisor = await supervisorOn("/run/noexec/x", { scriptDir: "/run/scripts" });
    await supervisor.ensure();
    await supervisor.nginx.start();
    await becomesRunning("/run/bin/nginx-child", 1);
    await supervisor.ensure();
    await supervisor.end();
    assert.equal(await countRunning("/run/bin"), 0);
    assert.equal(await countRunning("s6-"), 0);
  });

  test("a data plane that ended names no address as its own: a later one sweeps none", async () => {
    const runDir = "/run/withdrawn";
    const { config, taken, sweep } = dataPlaneLayout(runDir).keepalived;
    await using supervisor = await supervisorOn(runDir);
    await supervisor.ensure();
    const files = [config, taken, sweep];
    for (const path of files) await writeFile(path, "192.0.2.1/32 dev eth0\n");
    await supervisor.end();
    assert.deepEqual(files.filter(existsSync), []);
  });

  test("ending what was never started does nothing", async () => {
    await using supervisor = await supervisorOn("/run/five");
    await supervisor.end();
    assert.equal(await countRunning("s6-"), 0);
  });
});
