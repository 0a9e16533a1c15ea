// The test runner itself, run on little tests of each kind: what passes, fails, is skipped, dies or
// is not there must end as it should, and be counted.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import type { Tally } from "./run-tests/tally.mjs";

const RUNNER = fileURLToPath(new URL("run-tests.mjs", import.meta.url));
const GOOD = 'import { test } from "node:test";\ntest("good", () => {});\n';
const BAD = 'import { test } from "node:test";\ntest("bad", () => { throw new Error("no"); });\n';
const SKIPPED = 'import { test } from "node:test";\ntest("left out", { skip: "why" }, () => {});\n';
const DEAD = 'import "node:test";\nprocess.exit(3);\n';

const cases: readonly {
  readonly name: string;
  readonly files: Readonly<Record<string, string>>;
  readonly args: readonly string[];
  readonly skip?: string;
  readonly code: number;
  readonly sum: string;
  readonly told?: RegExp;
}[] = [
  {
    name: "all pass",
    files: { a: GOOD, b: GOOD },
    args: ["src"],
    code: 0,
    sum: "2 passed, 0 failed",
  },
  {
    name: "one fails",
    files: { a: GOOD, b: BAD },
    args: ["src"],
    code: 1,
    sum: "1 passed, 1 failed",
  },
  {
    name: "a word picks files",
    files: { a: GOOD, b: BAD },
    args: ["src", "a.test"],
    code: 0,
    sum: "1 passed",
  },
  {
    name: "own processes",
    files: { a: GOOD, b: BAD },
    args: ["src", "--processes"],
    code: 1,
    sum: "1 passed, 1 failed",
  },
  {
    name: "a skip nobody asked for",
    files: { a: SKIPPED },
    args: ["src"],
    code: 1,
    sum: "0 passed, 1 failed",
    told: /\nfailed: left out \(\S*a\.test\.ts\)\n {4}skipped, but FAIRLEAD_SKIP does not/u,
  },
  {
    name: "a skip asked for",
    files: { a: SKIPPED },
    args: ["src"],
    skip: "left",
    code: 0,
    sum: "0 passed, 0 failed",
  },
  {
    name: "a test left out by name",
    files: { a: GOOD, b: BAD },
    args: ["src"],
    skip: "ba",
    code: 0,
    sum: "1 passed, 0 failed",
  },
  {
    name: "a file left out by name",
    files: { a: GOOD, gone: BAD },
    args: ["src"],
    skip: "gone.test",
    code: 0,
    sum: "1 passed, 0 failed",
  },
  {
    name: "a file that ends the process",
    files: { a: DEAD },
    args: ["src"],
    code: 1,
    sum: "0 passed, 1 failed",
    told: /^failed: \S*src\n {4}its runner ended with 3, though no test had failed\n/u,
  },
  { name: "no tests at all", files: {}, args: ["src"], code: 1, sum: "has no tests" },
  {
    name: "a folder that is not there",
    files: {},
    args: ["nowhere"],
    code: 1,
    sum: "has no tests",
  },
  {
    name: "a word that picks nothing",
    files: { a: GOOD },
    args: ["src", "zebra"],
    code: 1,
    sum: "that match zebra",
  },
];
for (const c of cases) {
  test(c.name, () => {
    const folder = mkdtempSync(join(tmpdir(), "fairlead-runner-"));
    try {
      mkdirSync(join(folder, "src"));
      for (const [name, text] of Object.entries(c.files)) {
        writeFileSync(join(folder, "src", `${name}.test.ts`), text);
      }
      const env = { ...process.env, FAIRLEAD_TEST_RESULTS: join(folder, "results") };
      const run = spawnSync(process.execPath, [RUNNER, ...c.args], {
        cwd: folder,
        // A runner inside a runner would report to the outer one.
        env: { ...env, NODE_TEST_CONTEXT: undefined, FAIRLEAD_SKIP: c.skip },
        encoding: "utf8",
      });
      const told = run.stdout + run.stderr;
      assert.equal(run.status, c.code, told);
      assert.ok(told.includes(c.sum), told);
      if (c.told !== undefined) assert.match(run.stdout, c.told);
      if (Object.keys(c.files).length === 0 || c.sum.includes("match")) return;
      const result = JSON.parse(readFileSync(env.FAIRLEAD_TEST_RESULTS, "utf8")) as object;
      const { passed, failed, failures } = result as Tally;
      assert.ok(`${passed} passed, ${failed} failed`.startsWith(c.sum));
      assert.equal(failures.length, failed);
      for (const { name, reason } of failures.filter((failure) => failure.name === "bad")) {
        assert.match(reason, /^Error: no\n {4}at /u, name);
      }
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
}
