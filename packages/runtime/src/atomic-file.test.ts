// Files on a real disk, in a folder of their own.

import assert from "node:assert";
import { chmod, mkdir, mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileError, readFileBounded, removeUnfinished, writeFileDurably } from "./atomic-file.ts";
import { isEdgeError } from "./errors.ts";
import { runProgram } from "./process.ts";

async function makeFolder(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), "fairlead-file-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

test("a plan is replaced whole, with the mode asked for, and nothing else is left", async () => {
  await using folder = await makeFolder();
  const path = join(folder.path, "plan.json");
  await writeFileDurably(path, "old", { mode: 0o644 });
  await chmod(path, 0o666);
  await writeFileDurably(path, new Uint8Array([110, 101, 119]), { mode: 0o600 });
  assert.equal((await readFileBounded(path, 100)).toString(), "new");
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  assert.deepEqual(await readdir(folder.path), ["plan.json"]);
});

test("many writers of one file leave one whole version", async () => {
  await using folder = await makeFolder();
  const path = join(folder.path, "plan.json");
  const texts = Array.from({ length: 8 }, (_, index) => String(index).repeat(5_000));
  await Promise.all(texts.map((text) => writeFileDurably(path, text, { mode: 0o600 })));
  assert(texts.includes((await readFileBounded(path, 10_000)).toString()));
});

test("what a killed writer left is removed, and nothing that is somebody's", async () => {
  await using folder = await makeFolder();
  const path = join(folder.path, "plan.json");
  const theirs = ["plan.json", "plan.json.bak", "plan.json.1.bak", "ledger.7"];
  for (const name of [...theirs, "plan.json.1744353430", "plan.json.7"]) {
    await writeFile(join(folder.path, name), name);
  }
  await removeUnfinished(path);
  assert.deepEqual((await readdir(folder.path)).toSorted(), theirs.toSorted());
  await removeUnfinished(join(folder.path, "none", "plan.json"));
});

test("a folder that does not exist is NOT_FOUND", async () => {
  await using folder = await makeFolder();
  const path = join(folder.path, "none", "plan.json");
  await assert.rejects(writeFileDurably(path, "x", { mode: 0o600 }), (error) =>
    isEdgeError(error, "NOT_FOUND"),
  );
});

const reads = [
  { name: "a file that is not there", file: "absent", code: "NOT_FOUND" },
  { name: "a path through a file", file: "small/x", code: "NOT_FOUND" },
  { name: "a file above the bound", file: "large", code: "TOO_LARGE" },
  { name: "a folder", file: "folder", code: "IO" },
  { name: "a pipe without a writer, without waiting for one", file: "pipe", code: "IO" },
] as const;

for (const c of reads) {
  test(`reading ${c.name} is ${c.code}`, async () => {
    await using folder = await makeFolder();
    await writeFile(join(folder.path, "small"), "x");
    await writeFile(join(folder.path, "large"), "x".repeat(101));
    await mkdir(join(folder.path, "folder"));
    const pipe = join(folder.path, "pipe");
    await runProgram({ command: "mkfifo", args: [pipe], timeoutMs: 5_000, maxOutputBytes: 100 });
    await assert.rejects(readFileBounded(join(folder.path, c.file), 100), (error) =>
      isEdgeError(error, c.code),
    );
  });
}

test("a file of exactly the bound is read, and so is an empty one", async () => {
  await using folder = await makeFolder();
  const path = join(folder.path, "f");
  await writeFile(path, "x".repeat(100));
  assert.equal((await readFileBounded(path, 100)).length, 100);
  await writeFile(path, "");
  assert.equal((await readFileBounded(path, 0)).length, 0);
});

const codes = [
  { errno: "ENOSPC", code: "NO_SPACE", retryable: true },
  { errno: "EDQUOT", code: "NO_SPACE", retryable: true },
  { errno: "EROFS", code: "READ_ONLY", retryable: false },
  { errno: "EACCES", code: "PERMISSION", retryable: false },
  { errno: "EIO", code: "IO", retryable: true },
] as const;

for (const c of codes) {
  test(`${c.errno} is ${c.code}`, () => {
    const error = fileError(Object.assign(new Error("x"), { code: c.errno }), "cannot write plan");
    assert.equal(error.code, c.code);
    assert.equal(error.retryable, c.retryable);
    assert.match(error.message, /^cannot write plan: /u);
  });
}
