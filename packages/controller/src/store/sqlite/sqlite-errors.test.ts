// What an operator reads of each trouble with a disk or a file.

import assert from "node:assert/strict";
import { test } from "node:test";

import { describeError } from "@fairlead/runtime";

import { storeError } from "./sqlite-errors.ts";

const sqlite = (errcode: number): Error => Object.assign(new Error("database: x"), { errcode });
const errno = (code: string): Error => Object.assign(new Error("x"), { code });

const cases: readonly {
  readonly name: string;
  readonly raised: unknown;
  readonly code: string;
  readonly retryable: boolean;
  readonly says: string;
}[] = [
  { name: "full disk", raised: sqlite(13), code: "NO_SPACE", retryable: true, says: "full" },
  {
    name: "read-only file",
    raised: sqlite(8),
    code: "READ_ONLY",
    retryable: true,
    says: "may not",
  },
  { name: "damaged page", raised: sqlite(11), code: "CORRUPT", retryable: false, says: "damaged" },
  { name: "no database", raised: sqlite(26), code: "CORRUPT", retryable: false, says: "no SQLite" },
  { name: "locked", raised: sqlite(5), code: "BUSY", retryable: true, says: "another process" },
  {
    name: "an extended code of input and output",
    raised: sqlite(10 | (4 << 8)),
    code: "IO",
    retryable: true,
    says: "the disk failed",
  },
  { name: "a code not in the table", raised: sqlite(21), code: "IO", retryable: true, says: "x" },
  {
    name: "no rights",
    raised: errno("EACCES"),
    code: "READ_ONLY",
    retryable: true,
    says: "denied",
  },
  { name: "no text at all", raised: undefined, code: "IO", retryable: true, says: "undefined" },
];

for (const { name, raised, code, retryable, says } of cases) {
  test(`${name} is ${code}`, () => {
    const error = storeError(raised, "cannot write the store /s");
    assert.equal(error.code, code);
    assert.equal(error.retryable, retryable);
    assert.match(describeError(error), new RegExp(`^cannot write the store /s: .*${says}`));
  });
}

test("an error that was mapped before stays as it is", () => {
  const first = storeError(sqlite(13), "cannot write");
  assert.equal(storeError(first, "cannot open"), first);
});
