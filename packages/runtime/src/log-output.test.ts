// Programs whose log nobody reads, or whose log has no room: real ones, with real pipes, sockets
// and devices as their standard error.

import assert from "node:assert";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, constants, openSync, readFileSync, rmSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { runProgram } from "./process.ts";

const LOG = fileURLToPath(new URL("./log.ts", import.meta.url));
/** More than may wait, at about 1 KiB a record. */
const TOO_MANY = 20_000;
/** Writes so many records, says on standard output that it did, and ends with 7 when it is told. */
const PROGRAM = `
  import { createLogger } from ${JSON.stringify(LOG)};
  const log = createLogger({ level: "info", format: "text" });
  const pad = "x".repeat(1000);
  for (let at = 0; at < Number(process.argv[1]); at++) log.info({ at, pad }, "record");
  process.stdout.write("wrote them");
  process.stdin.on("end", () => process.exit(7)).resume();
`;

function start(records: number, stderr: number | "pipe"): ChildProcess {
  const args = ["--input-type=module-typescript", "--eval", PROGRAM, "--", String(records)];
  return spawn(process.execPath, args, { stdio: ["pipe", "pipe", stderr] });
}

/** Waits until it has written what it shall, whether that is read or not. */
async function untilWritten({ stdout }: ChildProcess): Promise<void> {
  assert(stdout);
  assert.equal(String((await once(stdout, "data"))[0]), "wrote them");
}

async function end(program: ChildProcess): Promise<number | null> {
  program.stdin?.end();
  if (program.exitCode === null) await once(program, "exit");
  return program.exitCode;
}

/** A pipe by a name, whose end for writing waits for its reader, as that of a shell does. */
async function startWithPipe(records: number): Promise<[ChildProcess, Socket]> {
  const folder = await mkdtemp(join(tmpdir(), "fairlead-log-"));
  const path = join(folder, "pipe");
  await runProgram({ command: "mkfifo", args: [path], timeoutMs: 5_000, maxOutputBytes: 100 });
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const writing = openSync(path, "w");
  const program = start(records, writing);
  closeSync(writing);
  rmSync(folder, { recursive: true });
  return [program, new Socket({ fd, readable: true, writable: false })];
}

/** A socket, as journald gives its services. */
function startWithSocket(records: number): [ChildProcess, Socket] {
  const program = start(records, "pipe");
  assert(program.stderr instanceof Socket);
  return [program, program.stderr];
}

for (const { kind, startWith } of [
  { kind: "pipe", startWith: startWithPipe },
  { kind: "socket", startWith: startWithSocket },
]) {
  test(`a program stood still while nobody read its log, a ${kind}`, async () => {
    const [program, reader] = await startWith(TOO_MANY);
    await untilWritten(program);
    let all = "";
    reader.on("data", (some: Buffer) => (all += some.toString()));
    while (!all.includes("were lost")) await once(reader, "data");
    assert.equal(await end(program), 7);
    const lines = all.trimEnd().split("\n");
    const [, lost = ""] = /were lost: .* records=(\d+)$/u.exec(lines.pop() ?? "") ?? [];
    assert.equal(lines.length + Number(lost), TOO_MANY, "what is not there is counted");
    for (const [at, line] of lines.entries()) assert.match(line, new RegExp(` at=${at} pad=x+$`));
  });

  test(`a program did not end while nobody read its log, a ${kind}`, async () => {
    const [program, reader] = await startWith(TOO_MANY);
    await untilWritten(program);
    assert.equal(await end(program), 7);
    reader.destroy();
  });

  test(`what was written last is read after the program's end, from a ${kind}`, async () => {
    const [program, reader] = await startWith(300);
    const [all, code] = await Promise.all([text(reader), end(program)]);
    assert.equal(code, 7);
    assert.match(all, / at=299 pad=x+\n$/u);
  });
}

test("a program ended when its log's disk was full", async () => {
  const full = openSync("/dev/full", "w");
  const program = start(5, full);
  closeSync(full);
  await untilWritten(program);
  assert.equal(await end(program), 7);
});

test("records stand where others write too, in a file without append", async () => {
  const folder = await mkdtemp(join(tmpdir(), "fairlead-log-"));
  const path = join(folder, "log");
  const file = openSync(path, "w");
  const program = start(3, file);
  await untilWritten(program);
  assert.equal(await end(program), 7);
  const next = start(1, file);
  assert.equal(await end(next), 7);
  closeSync(file);
  const records = readFileSync(path, "utf8").match(/ at=\d/gu);
  assert.deepEqual(records, [" at=0", " at=1", " at=2", " at=0"]);
  rmSync(folder, { recursive: true });
});
