// Runs one program to its end, without a shell, with a deadline and bounded output. Given command
// and arguments as a list. It never passes text through a shell, and it never waits for ever: also
// not for a daemon that the program left behind with its output open.

import { type ChildProcess, spawn } from "node:child_process";
import type { Readable } from "node:stream";
import { describeError, EdgeError } from "./errors.ts";

/** What to run. */
export interface RunProgramOptions {
  /** Name looked up in PATH, or a path. */
  readonly command: string;
  readonly args: readonly string[];
  /** The program is killed (SIGKILL) when it runs longer. */
  readonly timeoutMs: number;
  /** Written to its standard input, which is closed after it. Default: empty. */
  readonly input?: string;
  /** Bytes kept of each of its outputs, from the start; the rest is read and dropped. */
  readonly maxOutputBytes: number;
  /** Its whole environment. Default: that of this process. */
  readonly env?: Readonly<Record<string, string>>;
  /** Kills the program when aborted; the call then rejects with code "ABORTED". */
  readonly signal?: AbortSignal;
}

/** How it ended. A bad exit code is a result, not an error. */
export interface ProgramResult {
  /** Undefined when a signal ended it. */
  readonly code: number | undefined;
  /** Undefined when it ended by itself. */
  readonly signal: NodeJS.Signals | undefined;
  readonly stdout: string;
  readonly stderr: string;
  /** Whether it was killed at the deadline. */
  readonly timedOut: boolean;
}

/** Why a program could not be run at all. */
export type ProgramErrorCode = "NOT_INSTALLED" | "PERMISSION" | "ABORTED" | "IO";

/** After the end of the program, its outputs have this long to be closed by what it left behind. */
const OUTPUT_GRACE_MS = 200;

/** Runs a program. Rejects with EdgeError<ProgramErrorCode> when it cannot be started. */
export async function runProgram(options: RunProgramOptions): Promise<ProgramResult> {
  const { command, signal } = options;
  if (isAborted(signal)) throw aborted(command);
  const child = startChild(options);
  const stdout = collect(child.stdout, options.maxOutputBytes);
  const stderr = collect(child.stderr, options.maxOutputBytes);
  let timedOut = false;
  const kill = (): void => void child.kill("SIGKILL");
  const timer = setTimeout(() => {
    timedOut = true;
    kill();
  }, options.timeoutMs);
  signal?.addEventListener("abort", kill, { once: true });
  try {
    const end = await ended(child, command);
    if (isAborted(signal)) throw aborted(command);
    return { ...end, stdout: stdout.text(), stderr: stderr.text(), timedOut };
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", kill);
  }
}

/** A call, because the answer changes while the program runs. */
function isAborted(signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true;
}

function startChild(options: RunProgramOptions): ChildProcess {
  const env = options.env === undefined ? {} : { env: { ...options.env } };
  try {
    const child: ChildProcess = spawn(options.command, [...options.args], {
      stdio: ["pipe", "pipe", "pipe"],
      shell: false,
      ...env,
    });
    // Where this process has no descriptor left there are no streams, and the error comes later.
    // A program that does not read its input closes it: EPIPE is no failure.
    child.stdin?.on("error", () => undefined);
    child.stdin?.end(options.input ?? "");
    return child;
  } catch (error) {
    throw programError(error, options.command);
  }
}

type End = Pick<ProgramResult, "code" | "signal">;

function ended(child: ChildProcess, command: string): Promise<End> {
  return new Promise((resolve, reject) => {
    child.once("error", (error) => reject(programError(error, command)));
    child.once("exit", (code, signal) => {
      const end = { code: code ?? undefined, signal: signal ?? undefined };
      const grace = setTimeout(() => {
        child.stdout?.destroy();
        child.stderr?.destroy();
      }, OUTPUT_GRACE_MS);
      child.once("close", () => {
        clearTimeout(grace);
        resolve(end);
      });
    });
  });
}

function collect(stream: Readable | null, bytesMax: number): { text(): string } {
  const chunks: Buffer[] = [];
  let bytes = 0;
  stream?.on("data", (chunk: Buffer) => {
    const kept = chunk.subarray(0, bytesMax - bytes);
    bytes += kept.length;
    if (kept.length > 0) chunks.push(kept);
  });
  stream?.on("error", () => undefined);
  return { text: () => Buffer.concat(chunks).toString("utf8") };
}

function programError(error: unknown, command: string): EdgeError<ProgramErrorCode> {
  const errno = error instanceof Error && "code" in error ? error.code : undefined;
  const make = (code: ProgramErrorCode, why: string): EdgeError<ProgramErrorCode> =>
    new EdgeError({
      code,
      message: `cannot run ${command}: ${why}`,
      retryable: code === "IO",
      cause: error,
    });
  if (errno === "ENOENT") return make("NOT_INSTALLED", "it is not installed");
  if (errno === "EACCES") return make("PERMISSION", "permission denied");
  return make("IO", describeError(error));
}

function aborted(command: string): EdgeError<ProgramErrorCode> {
  const message = `${command} was stopped before its end`;
  return new EdgeError({ code: "ABORTED", message, retryable: false });
}
