// Runs one command inside to its end, with a deadline and bounded output. Given where to run it.
// A bad exit code is a result, not an error.

import type { Readable } from "node:stream";
import type { Exit } from "./detached-process.ts";
import { type InsideProcess, startInside, type Target } from "./inside-process.ts";
import { labError } from "./lab-error.ts";
import { within } from "./deadline.ts";

/** How a command of a host ended, and what it said. */
export interface CommandResult extends Exit {
  readonly stdout: string;
  readonly stderr: string;
}

/** Settings of one command. */
export interface CommandOptions {
  /** The command is killed when it runs longer, and the call rejects. Default: 10 000 ms. */
  readonly timeoutMs?: number;
  /** Written to its standard input, which is closed after it. Default: empty. */
  readonly input?: string;
  /** Added to the host's environment. */
  readonly env?: Readonly<Record<string, string>>;
}

const TIMEOUT_MS_DEFAULT = 10_000;
/** More than any listing of a lab; a command that says more is stopped. */
const OUTPUT_CHARACTERS_MAX = 16 * 1024 * 1024;
/** What a daemon left behind may keep the outputs open; they are read this much longer. */
const OUTPUT_GRACE_MS = 200;

/** Runs a command to its end. Rejects with code DEADLINE when it took too long. */
export async function runInside(
  target: Target,
  command: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  const env = { ...target.env, ...options.env };
  const process = await startInside({ ...target, env }, command);
  const stdout = collect(process.stdout);
  const stderr = collect(process.stderr);
  process.stdin.end(options.input ?? "");
  try {
    const limitMs = options.timeoutMs ?? TIMEOUT_MS_DEFAULT;
    const exit = await within(process.exited, limitMs, `${command[0]} inside the lab`);
    const closed = Promise.all([stdout.closed, stderr.closed]);
    await within(closed, OUTPUT_GRACE_MS, "reading output").catch(() => undefined);
    return { ...exit, stdout: stdout.text(), stderr: stderr.text() };
  } finally {
    process.kill("SIGKILL");
    release(process);
  }
}

/** Runs a command that must succeed, and gives what it wrote. Rejects with COMMAND_FAILED. */
export async function outputInside(
  target: Target,
  command: readonly string[],
  options: CommandOptions = {},
): Promise<string> {
  const result = await runInside(target, command, options);
  if (result.code === 0) return result.stdout;
  const end = result.code === undefined ? `signal ${result.signal}` : `code ${result.code}`;
  const said = (result.stderr.trim() || result.stdout.trim()).slice(0, 500);
  throw labError("COMMAND_FAILED", `${command.join(" ")} ended with ${end}: ${said}`);
}

function release(process: InsideProcess): void {
  for (const stream of [process.stdin, process.stdout, process.stderr]) stream.destroy();
}

function collect(stream: Readable): { text(): string; readonly closed: Promise<void> } {
  let text = "";
  stream.setEncoding("utf8");
  stream.on("data", (chunk: string) => {
    if (text.length < OUTPUT_CHARACTERS_MAX) text += chunk;
  });
  const closed = new Promise<void>((resolve) => {
    stream.once("close", () => resolve());
  });
  return { text: () => text, closed };
}
