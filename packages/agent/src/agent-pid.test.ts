// Who counts as the living agent of a run directory, with real processes.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempDisposable, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { isEdgeError } from "@fairlead/runtime";

import { agentPidFile, claimRunDir } from "./agent-pid.ts";
import { livingProcess } from "./pid-file.ts";

test("a run directory is one agent's while that lives", async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), "fairlead-pid-"));
  const path = agentPidFile(folder.path);
  assert.equal(await livingProcess(path), undefined);
  {
    await using _ = await claimRunDir(folder.path);
    assert.equal(await livingProcess(path), process.pid);
    await assert.rejects(claimRunDir(folder.path), (error) => isEdgeError(error, "BUSY"));
  }
  assert.equal(await livingProcess(path), undefined);
});

test("a number that another process has now is no agent", async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), "fairlead-pid-"));
  const path = agentPidFile(folder.path);
  await writeFile(path, `${process.pid} 1\n`);
  assert.equal(await livingProcess(path), undefined);
});

test("an agent that ended and whose parent took no notice is not waited for", async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), "fairlead-pid-"));
  const path = agentPidFile(folder.path);
  // The program that the shell becomes knows nothing of the shell's child, as in a container
  // without an init. The child ends after that: of one that ends before, the shell takes notice.
  const child = "until grep -q sleep /proc/$$/comm; do :; done";
  const parent = spawn("sh", ["-c", `${child} & echo $!; exec sleep 60`]);
  try {
    const [line] = (await once(parent.stdout, "data")) as [Buffer];
    const pid = Number(line.toString("utf8"));
    let stat = "";
    while (!stat.includes(") Z ")) stat = await readFile(`/proc/${pid}/stat`, "utf8");
    const startTime = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
    await writeFile(path, `${pid} ${startTime}\n`);
    assert.equal(await livingProcess(path), undefined);
    await using _ = await claimRunDir(folder.path);
    assert.equal(await livingProcess(path), process.pid);
  } finally {
    parent.kill("SIGKILL");
  }
});
