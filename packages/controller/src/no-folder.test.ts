// A state directory that cannot be: the controller says what, why and what to do, and ends.

import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { mkdtempDisposable, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { runProgram } from "./program.ts";

async function start(source: string, stateDir: string): Promise<{ code: number; said: string }> {
  const said: string[] = [];
  const listens = ["agents", "admin", "metrics"].map((name) => `--listen-${name}=127.0.0.1:0`);
  const where = [`--source=${source}`, `--state-dir=${stateDir}`, "--log-level=silent"];
  const code = await runProgram({
    argv: [...where, ...listens, "--listen-rest=127.0.0.1:0", "--insecure"],
    env: {},
    process: new EventEmitter(),
    out: () => undefined,
    err: (text) => void said.push(text),
  });
  return { code, said: said.join("") };
}

test("a state directory that is a file, or below /proc, is refused at once", async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), "fairlead-folder-"));
  const file = join(folder.path, "file");
  await writeFile(file, "");
  const todo = "give another folder with --state-dir or --store [NO_FOLDER]\n";
  for (const [stateDir, why] of [
    [file, `cannot make the folder ${file}: it is there and is not a folder`],
    ["/proc/state", "cannot make the folder /proc/state: no folder can be made in /proc"],
  ] as const) {
    assert.deepEqual(await start(folder.path, stateDir), {
      code: 1,
      said: `the controller cannot go on: ${why}; ${todo}`,
    });
  }
});
