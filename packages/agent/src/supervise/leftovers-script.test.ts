// The shell functions that end a daemon's last incarnation, run by the real shell on real
// processes: what is ours is ended, what only looks like it is left alone.

import assert from "node:assert/strict";
import { once } from "node:events";
import { spawn, type ChildProcess } from "node:child_process";
import { copyFile, readFile, readlink, writeFile } from "node:fs/promises";
import { test } from "node:test";
import { runProgram } from "@fairlead/runtime";
import { inSandbox } from "@fairlead/testkit";
import { leftoversScript } from "./leftovers-script.ts";

const record = "/run/incarnation";
const script = leftoversScript({ record, program: "fakenginx", graceMs: 1000 });

async function run(command: string): Promise<number | undefined> {
  const options = { command: "sh", timeoutMs: 10_000, maxOutputBytes: 4096 };
  const result = await runProgram({ ...options, args: ["-c", `${script}\n${command}`] });
  return result.code;
}

/** A process that leads a group of its own, as s6 makes them; `name` is what the kernel shows. */
async function leader(name: string): Promise<ChildProcess> {
  const program = `/run/${name}`;
  await copyFile("/bin/sleep", program);
  return spawn(program, ["3600"], { detached: true, stdio: "ignore" });
}

interface Record {
  readonly group: number;
  readonly boot: string;
  readonly namespace: string;
  readonly start: string;
}

async function recordOf(child: ChildProcess): Promise<Record> {
  const stat = await readFile(`/proc/${child.pid}/stat`, "utf8");
  return {
    group: child.pid ?? 0,
    boot: (await readFile("/proc/sys/kernel/random/boot_id", "utf8")).trim(),
    namespace: await readlink("/proc/self/ns/pid"),
    start: stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "",
  };
}

async function isLeftAlone(child: ChildProcess, written: Record): Promise<boolean> {
  const { group, boot, namespace, start } = written;
  await writeFile(record, `${group} ${boot} ${namespace} ${start}\n`);
  assert.equal(await run("end_leftovers"), 0);
  return child.exitCode === null && child.signalCode === null;
}

inSandbox({ file: import.meta.url, name: "leftovers" }, () => {
  test("the recorded group is ended", async () => {
    const child = await leader("fakenginx");
    const ended = once(child, "exit");
    const { group, boot, namespace, start } = await recordOf(child);
    await writeFile(record, `${group} ${boot} ${namespace} ${start}\n`);
    assert.equal(await run("end_leftovers"), 0);
    await ended;
    assert.equal(child.signalCode, "SIGTERM");
  });

  test("one that ignores the request is killed", async () => {
    const child = spawn("sh", ["-c", "trap '' TERM; exec /run/fakenginx 3600"], {
      detached: true,
      stdio: "ignore",
    });
    const ended = once(child, "exit");
    while (!(await readFile(`/proc/${child.pid}/comm`, "utf8")).startsWith("fakenginx")) {}
    const { group, boot, namespace, start } = await recordOf(child);
    await writeFile(record, `${group} ${boot} ${namespace} ${start}\n`);
    assert.equal(await run("end_leftovers"), 0);
    await ended;
    assert.equal(child.signalCode, "SIGKILL");
  });

  test("one that is stopped is killed at once, and not after the time that a living one has", async () => {
    const child = await leader("fakenginx");
    const ended = once(child, "exit");
    const { group, boot, namespace, start } = await recordOf(child);
    await writeFile(record, `${group} ${boot} ${namespace} ${start}\n`);
    child.kill("SIGSTOP");
    while (!/\) T /.test(await readFile(`/proc/${child.pid}/stat`, "utf8"))) {}
    assert.equal(await run("leftovers_live && end_leftovers"), 0);
    await ended;
    assert.equal(child.signalCode, "SIGKILL");
    assert.equal(await run("leftovers_live"), 1);
  });

  test("what is not surely ours is left alone", async () => {
    const child = await leader("fakenginx");
    const truth = await recordOf(child);
    assert.ok(await isLeftAlone(child, { ...truth, boot: "another-boot" }));
    assert.ok(await isLeftAlone(child, { ...truth, namespace: "pid:[1]" }));
    assert.ok(await isLeftAlone(child, { ...truth, start: `${Number(truth.start) - 1}` }));
    child.kill("SIGKILL");
    const other = await leader("somebody");
    assert.ok(await isLeftAlone(other, await recordOf(other)));
    other.kill("SIGKILL");
  });

  test("a record that is none, or none at all, is no trouble", async () => {
    for (const text of ["", "\n", "x y z\n", "0 a b c\n", "-1 a b c\n", "1 a b c\n"]) {
      await writeFile(record, text);
      assert.equal(await run("end_leftovers"), 0, JSON.stringify(text));
    }
    assert.equal(await run("rm -f $record; end_leftovers"), 0);
  });

  test("the record names the shell that becomes the daemon", async () => {
    assert.equal(await run("write_record; read -r group rest <$record; [ $group = $$ ]"), 0);
  });
});
