// Runs the tests of one package with the pinned Node: `run-tests.mjs DIR [PATTERN]`.
import { spawnSync } from "node:child_process";
import { globSync } from "node:fs";

const dir = process.argv[2] ?? "src";
const files = globSync(`${dir}/**/*.test.ts`).sort();
if (files.length === 0) {
  console.log("0 passed, 0 failed");
  process.exit(0);
}
const run = spawnSync(process.execPath, ["--test", "--test-isolation=none", ...files], { stdio: "inherit" });
process.exit(run.status ?? 1);
