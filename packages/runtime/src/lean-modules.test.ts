// What a program loads that serves and asks over HTTP and TLS.

import assert from "node:assert";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { runProgram } from "./process.ts";

const SCRIPT = `
await import(process.argv[1]);
const loaded = process.moduleLoadList.filter((name) => name.includes("undici"));
process.stdout.write(JSON.stringify(loaded));
`;

test("the client behind fetch, which nobody uses, is not loaded", async () => {
  const all = fileURLToPath(new URL("index.ts", import.meta.url));
  const { stdout } = await runProgram({
    command: process.execPath,
    args: ["--input-type=module", "--eval", SCRIPT, all],
    timeoutMs: 30_000,
    maxOutputBytes: 10_000,
  });
  assert.deepEqual(JSON.parse(stdout), []);
});
