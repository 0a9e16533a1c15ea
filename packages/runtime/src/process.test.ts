// Programs that end well, badly, late or never began.

import assert from "node:assert";
import { test } from "node:test";
import { isEdgeError } from "./errors.ts";
import { type ProgramResult, runProgram } from "./process.ts";

function sh(script: string, timeoutMs = 10_000): Promise<ProgramResult> {
  return runProgram({ command: "sh", args: ["-c", script], timeoutMs, maxOutputBytes: 1_000 });
}

test("exit code and both outputs come back", async () => {
  assert.deepEqual(await sh("echo out; echo err >&2; exit 3"), {
    code: 3,
    signal: undefined,
    stdout: "out\n",
    stderr: "err\n",
    timedOut: false,
  });
});

test("arguments reach the program as they are, without a shell", async () => {
  const args = ["%s|%s", "$(id); `x`", "a b\n"];
  const result = await runProgram({
    command: "printf",
    args,
    timeoutMs: 5_000,
    maxOutputBytes: 100,
  });
  assert.equal(result.stdout, "$(id); `x`|a b\n");
});

test("input is given whole, and the environment is what was asked for", async () => {
  const shared = { timeoutMs: 5_000, maxOutputBytes: 300_000 };
  const input = "x".repeat(200_000);
  const cat = await runProgram({ command: "cat", args: [], input, ...shared });
  assert.equal(cat.stdout.length, 200_000);
  const env = await runProgram({ command: "/usr/bin/env", args: [], env: { A: "1" }, ...shared });
  assert.equal(env.stdout, "A=1\n");
});

test("a program that hangs is killed at the deadline", async () => {
  const result = await sh("echo begun; exec sleep 60", 200);
  assert.equal(result.timedOut, true);
  assert.equal(result.signal, "SIGKILL");
  assert.equal(result.code, undefined);
});

test("output beyond the bound is dropped, and the program still ends", async () => {
  const result = await sh("head -c 5000000 /dev/zero | tr '\\0' x");
  assert.equal(result.stdout.length, 1_000);
  assert.equal(result.code, 0);
});

test("a daemon left behind with the output open is not waited for", async () => {
  const result = await sh("sleep 600 & echo $!");
  assert.deepEqual([result.code, result.timedOut], [0, false]);
  // It lives on: a signal reaches it.
  assert.equal(process.kill(Number(result.stdout), "SIGKILL"), true);
});

test("a program that does not read its input is no failure", async () => {
  const input = "x".repeat(1_000_000);
  const result = await runProgram({
    command: "true",
    args: [],
    input,
    timeoutMs: 5_000,
    maxOutputBytes: 1,
  });
  assert.equal(result.code, 0);
});

const refusals = [
  {
    name: "a program that is not there",
    command: "fairlead-no-such-program",
    code: "NOT_INSTALLED",
  },
  { name: "a file that is no program", command: "/etc/passwd", code: "PERMISSION" },
  { name: "a command with a NUL in it", command: "a\0b", code: "IO" },
] as const;

for (const c of refusals) {
  test(`${c.name} is ${c.code}`, async () => {
    const running = runProgram({
      command: c.command,
      args: [],
      timeoutMs: 5_000,
      maxOutputBytes: 1,
    });
    await assert.rejects(running, (error) => isEdgeError(error, c.code));
  });
}

test("an abort kills the program", async () => {
  const abort = new AbortController();
  const running = runProgram({
    command: "sleep",
    args: ["60"],
    timeoutMs: 60_000,
    maxOutputBytes: 1,
    signal: abort.signal,
  });
  abort.abort();
  await assert.rejects(running, (error) => isEdgeError(error, "ABORTED"));
});
