// The generated code in packages/proto is what the protocol's files give today. Generates into a
// folder of its own and compares; it changes nothing in the tree.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const GENERATED = "packages/proto/src/gen";

test("generated code is what the protocol's files give", () => {
  const folder = mkdtempSync(join(tmpdir(), "fairlead-generated-"));
  try {
    execFileSync("buf", ["generate", "--output", folder], { cwd: ROOT, stdio: "pipe" });
    const wanted = readTree(join(folder, GENERATED));
    assert.ok(wanted.size > 0, "buf generated nothing");
    const committed = readTree(join(ROOT, GENERATED));
    assert.deepEqual([...committed.keys()], [...wanted.keys()], "run `npm run golden`");
    for (const [path, text] of wanted) {
      assert.ok(committed.get(path) === text, `${path} is old: run \`npm run golden\``);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

function readTree(folder: string): ReadonlyMap<string, string> {
  const paths = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .toSorted();
  return new Map(paths.map((path) => [path, readFileSync(join(folder, path), "utf8")]));
}
