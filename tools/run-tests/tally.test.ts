// How outcomes are added up: a skip that nobody asked for counts as a failure, one that was asked
// for by name counts for nothing.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { appendResult, sumResults, tallyOf } from "./tally.mjs";

const LINES = [
  { outcome: "passed", name: "an address answers", file: "e2e/failover.test.ts" },
  { outcome: "failed", name: "another answers", file: "e2e/failover.test.ts" },
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
    unasked: ["grpcurl lists"],
  },
  { name: "unless its name is asked for", skip: "grpcurl", passed: 1, failed: 1, unasked: [] },
  { name: "or its file", skip: "other, e2e/grpc", passed: 1, failed: 1, unasked: [] },
  {
    name: "an empty list names nothing",
    skip: " ,",
    passed: 1,
    failed: 2,
    unasked: ["grpcurl lists"],
  },
];
for (const { name, skip, ...tally } of cases) {
  test(name, () => assert.deepEqual(tallyOf(LINES, skip), tally));
}

test("the sum is over all that was appended, and nothing is none", () => {
  const folder = mkdtempSync(join(tmpdir(), "fairlead-tally-"));
  try {
    const file = join(folder, "results");
    assert.deepEqual(sumResults(file), { passed: 0, failed: 0 });
    appendResult(file, { passed: 3, failed: 0, unasked: [] });
    appendResult(file, { passed: 2, failed: 1, unasked: ["x"] });
    assert.deepEqual(sumResults(file), { passed: 5, failed: 1 });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
