// One real service of s6 in a sandbox: its state is read, and it is told to reload, without a
// process for either.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { inSandbox } from "@fairlead/testkit";
import { askToReload } from "./s6-control.ts";
import { createS6Programs } from "./s6-programs.ts";
import { readS6Status } from "./s6-status.ts";

inSandbox({ file: import.meta.url, name: "s6-control" }, () => {
  test("what is read of a service is what s6-svstat says, up, finishing and down", async () => {
    const folder = "/run/status/daemon";
    await mkdir(folder, { recursive: true });
    await writeFile(`${folder}/run`, "#!/bin/sh\nexec sleep 3600\n", { mode: 0o755 });
    await writeFile(`${folder}/finish`, "#!/bin/sh\nexec sleep 3600\n", { mode: 0o755 });
    const supervisor = spawn("/usr/bin/s6-supervise", [folder], { stdio: "ignore" });
    const programs = createS6Programs("/usr/bin/s6-svscan");
    const said = async (): Promise<string> => (await programs.svstat(folder, "up,pid")).join(" ");
    const until = async (word: RegExp): Promise<void> => {
      while (!word.test(await said().catch(() => ""))) {}
    };
    await until(/^true/);
    const state = readS6Status(folder);
    assert.equal(`${state?.up} ${state?.pid}`, await said());
    process.kill(state?.pid ?? 0, "SIGKILL");
    await until(/^false/);
    const bytes = await readFile(`${folder}/supervise/status`);
    assert.notEqual(bytes.readBigUInt64BE(24), 0n, "the finish script runs");
    assert.deepEqual(readS6Status(folder), { up: false });
    await programs.svc(folder, "-xd");
    supervisor.kill("SIGKILL");
    await once(supervisor, "exit");
    // What it has just forked has its files too, until it becomes the finish script.
    while (readS6Status(folder) !== undefined) await nextTurn();
    assert.equal(readS6Status("/run/none"), undefined);
  });

  test("a daemon is told to reload without a process, and its loss is told as it is", async () => {
    const folder = "/run/reload/daemon";
    await mkdir(folder, { recursive: true });
    const lines = [
      "#!/bin/sh",
      `trap 'echo HUP >> ${folder}/heard' HUP`,
      `echo ready > ${folder}/ready`,
      "while :; do sleep 0.01; done",
    ];
    await writeFile(`${folder}/run`, `${lines.join("\n")}\n`, { mode: 0o755 });
    await assert.rejects(askToReload(folder), { code: "NOT_SUPERVISED" });
    const supervisor = spawn("/usr/bin/s6-supervise", [folder], { stdio: "ignore" });
    const text = async (name: string): Promise<string> =>
      await readFile(`${folder}/${name}`, "utf8").catch(() => "");
    // A shell that has not set its trap yet would be ended by the signal, each time anew.
    while ((await text("ready")) === "") {}
    while (!(await text("heard")).startsWith("HUP")) await askToReload(folder);
    const exited = once(supervisor, "exit");
    await createS6Programs("/usr/bin/s6-svscan").svc(folder, "-xd");
    await exited;
    await assert.rejects(askToReload(folder), { code: "NOT_SUPERVISED" });
  });
});
