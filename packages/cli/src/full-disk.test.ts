// What the program does where its words cannot be written, as on a disk that is full: it is run as
// itself, with its output at a device that takes nothing.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { EXIT } from "./exit-codes.ts";

const MAIN = fileURLToPath(new URL("./main.ts", import.meta.url));

interface Ended {
  readonly status: number | null;
  readonly stdout: string | null;
  readonly stderr: string | null;
}

/** Runs the program with one of its outputs at /dev/full. */
function runFull(full: "stdout" | "stderr", ...args: readonly string[]): Ended {
  const fd = openSync("/dev/full", "w");
  try {
    return spawnSync(process.execPath, [MAIN, ...args], {
      stdio: ["ignore", full === "stdout" ? fd : "pipe", full === "stderr" ? fd : "pipe"],
      encoding: "utf8",
    });
  } finally {
    closeSync(fd);
  }
}

test("an answer that cannot be written is said in words, and not well", () => {
  const { status, stderr } = runFull("stdout", "--help");
  assert.equal(
    stderr,
    `error: the answer cannot be written
  why:  standard output: the disk is full: ENOSPC: no space left on device, write
  do:   See where standard output goes, then run it again.
  code: NO_SPACE
`,
  );
  assert.equal(status, EXIT.bad);
});

test("a word for people that cannot be written changes no exit code", () => {
  const { status, stdout } = runFull("stderr", "statsu");
  assert.deepEqual({ status, stdout }, { status: EXIT.usage, stdout: "" });
});
