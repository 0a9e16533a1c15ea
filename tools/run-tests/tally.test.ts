// How outcomes are added up: a skip that nobody asked for counts as a failure, one that was asked
// for by name counts for nothing.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { appendResult, failuresText, sumResults, tallyOf } from "./tally.mjs";

const LINES = [
  { outcome: "passed", name: "an address answers", file: "e2e/failover.test.ts" },
  { outcome: "failed", name: "another answers", file: "e2e/failover.test.ts", reason: "no\nnever" },
  { outcome: "skipped", name: "grpcurl lists", file: "e2e/grpc.test.ts" },
]
  .map((line) => `${JSON.stringify(line)}\n`)
  .join("");

const cases = [
  {
    name: "a skip is a failure",
    skip: undefined,
    passed: 1,
    failed: 2,
    names: ["another answers", "grpcurl lists"],
  },
  {
    name: "unless its name is asked for",
    skip: "grpcurl",
    passed: 1,
    failed: 1,
    names: ["another answers"],
  },
  {
    name: "or its file",
    skip: "other, e2e/grpc",
    passed: 1,
    failed: 1,
    names: ["another answers"],
  },
  {
    name: "an empty list names nothing",
    skip: " ,",
    passed: 1,
    failed: 2,
    names: ["another answers", "grpcurl lists"],
  },
];
for (const { name, skip, names, ...counts } of cases) {
  test(name, () => {
    const { failures, ...counted } = tallyOf(LINES, skip);
    assert.deepEqual(counted, counts);
    assert.deepEqual(
      failures.map((failure) => failure.name),
      names,
    );
  });
}

test("the end of a long output says what failed, where and why", () => {
  const { failures } = tallyOf(LINES, undefined);
  assert.deepEqual(failuresText(failures).split("\n"), [
    "failed: another answers (e2e/failover.test.ts)",
    "    no",
    "    never",
    "failed: grpcurl lists (e2e/grpc.test.ts)",
    "    skipped, but FAIRLEAD_SKIP does not name it",
    "",
  ]);
});

test("the sum is over all that was appended, and nothing is none", () => {
  const folder = mkdtempSync(join(tmpdir(), "fairlead-tally-"));
  try {
    const file = join(folder, "results");
    assert.deepEqual(sumResults(file), { passed: 0, failed: 0, failures: [] });
    const failures = [{ name: "x", file: "y", reason: "z" }];
    appendResult(file, { passed: 3, failed: 0, failures: [] });
    appendResult(file, { passed: 2, failed: 1, failures });
    assert.deepEqual(sumResults(file), { passed: 5, failed: 1, failures });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
