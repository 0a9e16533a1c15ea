// What the bundle of client-node is not: large, or hungry. What is used rarely is not read at
// first.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const BUNDLE = fileURLToPath(import.meta.resolve("#client-node"));
/** Twice what it is; client-node without a bundle reads some megabytes. */
const BYTES_MAX = 90_000;

/** The bundle and every file that is read with it, without Node's own modules. */
function readAtFirst(path: string, seen = new Map<string, string>()): ReadonlyMap<string, string> {
  if (seen.has(path)) return seen;
  const code = readFileSync(path, "utf8");
  seen.set(path, code);
  for (const [, name = ""] of code.matchAll(/^(?:import|export)[^;]*?"([^"]+)";$/gm)) {
    if (isBuiltin(name)) continue;
    assert.match(name, /^\.\//, `the bundle imports ${name}, which is not in it`);
    readAtFirst(join(dirname(path), name), seen);
  }
  return seen;
}

test("what is read at first is small, and holds no library for proxies or providers", () => {
  const files = readAtFirst(BUNDLE);
  const code = [...files.values()].join("\n");
  assert.ok(code.length < BYTES_MAX, `${code.length} characters are read at first`);
  // Each file in the bundle stands under a comment with its path.
  const paths = code.match(/^\/\/ .*node_modules\/.*$/gm) ?? [];
  const packages = paths.map((path) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1]);
  assert.deepEqual(new Set(packages), new Set(["@kubernetes/client-node", "rfc4648"]));
});
