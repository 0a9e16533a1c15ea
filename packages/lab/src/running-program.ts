// A long-lived program on a host: its lines, its end, its stop. Given the started process. It keeps
// a bounded number of lines, and nothing of it outlives the host.

import { createWriteStream, type WriteStream } from "node:fs";
import type { Readable } from "node:stream";
import { within } from "./deadline.ts";
import type { Exit } from "./detached-process.ts";
import type { InsideProcess } from "./inside-process.ts";
import { labError } from "./lab-error.ts";

/** Settings of a program that is started and left running. */
export interface ProgramOptions {
  /** Added to the host's environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** A file of the machine to which all it says is appended. Default: none. */
  readonly logFile?: string;
  /** Called for every line as it comes. */
  readonly onLine?: (line: string) => void;
}

/** How a stop ended. */
export interface StopResult extends Exit {
  /** Whether it had to be killed at the deadline. */
  readonly forced: boolean;
}

/** A program running on a host. */
export interface RunningProgram extends AsyncDisposable {
  /** Its process id as the host sees it. */
  readonly pid: number;
  /** Its process id as this program sees it. */
  readonly outsidePid: number;
  /** Settles when it has ended, also by the host's crash. */
  readonly exited: Promise<Exit>;
  hasExited(): boolean;
  /** The latest lines of both outputs, in the order in which they came; at most 10 000. */
  lines(): readonly string[];
  /** All of `lines` as one text. */
  output(): string;
  /**
   * Waits for a line that matches, also among those that came before. Rejects with code DEADLINE,
   * or GONE when the program has ended without it.
   */
  waitForLine(pattern: RegExp, deadlineMs: number): Promise<RegExpExecArray>;
  /** Writes to its standard input. */
  write(text: string): void;
  /** Ends its standard input. */
  endInput(): void;
  /** Sends a signal; does nothing when it has ended. For SIGSTOP there is `freeze`. */
  kill(signal: NodeJS.Signals): void;
  /** Stops it from running, as SIGSTOP does, and waits until none of its threads runs. */
  freeze(): Promise<void>;
  /** Lets it run on. */
  resume(): void;
  /** Sends `signal` (default SIGTERM), and SIGKILL after `deadlineMs` (default 5 000). */
  stop(signal?: NodeJS.Signals, deadlineMs?: number): Promise<StopResult>;
}

const LINES_MAX = 10_000;
const LINE_CHARACTERS_MAX = 64 * 1024;
const STOP_MS_DEFAULT = 5_000;
const KILL_MS_MAX = 5_000;
/** After the end, lines that are still in the pipes have this long to arrive. */
const OUTPUT_GRACE_MS = 200;

/** Wraps a started process. `name` stands in messages. */
export function createRunningProgram(
  process: InsideProcess,
  name: string,
  options: ProgramOptions,
): RunningProgram {
  const log = options.logFile === undefined ? undefined : openLog(options.logFile);
  const book = createLineBook(options.onLine);
  const closed = [readLines(process.stdout, book, log), readLines(process.stderr, book, log)];
  const drained = process.exited.then(async () => {
    await within(Promise.all(closed), OUTPUT_GRACE_MS, "reading lines").catch(() => undefined);
    for (const stream of [process.stdin, process.stdout, process.stderr]) stream.destroy();
    log?.end();
    book.end();
  });
  const stop = async (
    signal: NodeJS.Signals = "SIGTERM",
    deadlineMs: number = STOP_MS_DEFAULT,
  ): Promise<StopResult> => {
    process.kill(signal);
    let forced = false;
    const inTime = within(process.exited, deadlineMs, `end of ${name}`);
    await inTime.catch(() => {
      forced = true;
      process.kill("SIGKILL");
    });
    const exit = await within(process.exited, KILL_MS_MAX, `killing ${name}`);
    await drained;
    return { ...exit, forced };
  };
  return {
    pid: process.pid,
    outsidePid: process.outsidePid,
    exited: drained.then(() => process.exited),
    hasExited: () => process.hasExited(),
    lines: () => book.lines,
    output: () => book.lines.join("\n"),
    waitForLine: (pattern, deadlineMs) => book.wait(pattern, deadlineMs, name),
    write: (text) => void process.stdin.write(text),
    endInput: () => void process.stdin.end(),
    kill: (signal) => process.kill(signal),
    freeze: () => process.freeze(),
    resume: () => process.resume(),
    stop,
    [Symbol.asyncDispose]: async () => void (await stop()),
  };
}

interface LineBook {
  readonly lines: string[];
  add(line: string): void;
  /** No further line will come. */
  end(): void;
  wait(pattern: RegExp, deadlineMs: number, name: string): Promise<RegExpExecArray>;
}

function createLineBook(onLine: ((line: string) => void) | undefined): LineBook {
  const lines: string[] = [];
  // Each waiter is told every new line, and undefined when there will be no more.
  const waiters = new Set<(line: string | undefined) => void>();
  let ended = false;
  const tell = (line: string | undefined): void => {
    for (const waiter of waiters) waiter(line);
  };
  return {
    lines,
    add: (line) => {
      lines.push(line);
      if (lines.length > LINES_MAX) lines.shift();
      onLine?.(line);
      tell(line);
    },
    end: () => {
      ended = true;
      tell(undefined);
    },
    wait: async (pattern, deadlineMs, name) => {
      const { promise, resolve, reject } = Promise.withResolvers<RegExpExecArray>();
      const look = (line: string | undefined): void => {
        pattern.lastIndex = 0;
        const match = line === undefined ? null : pattern.exec(line);
        if (match !== null) resolve(match);
        if (line === undefined) reject(endedWithout(pattern, name, lines));
      };
      for (const line of lines) look(line);
      if (ended) look(undefined);
      waiters.add(look);
      try {
        return await within(promise, deadlineMs, `waiting for ${pattern} from ${name}`);
      } finally {
        waiters.delete(look);
      }
    },
  };
}

function endedWithout(pattern: RegExp, name: string, lines: readonly string[]): Error {
  return labError("GONE", `${name} ended without ${pattern}: ${lines.slice(-5).join(" | ")}`);
}

function openLog(path: string): WriteStream {
  const log = createWriteStream(path, { flags: "a" });
  // A log that cannot be written must not end the test that it would explain.
  log.on("error", () => undefined);
  return log;
}

function readLines(stream: Readable, book: LineBook, log: WriteStream | undefined): Promise<void> {
  let rest = "";
  stream.setEncoding("utf8");
  stream.on("data", (chunk: string) => {
    log?.write(chunk);
    const parts = (rest + chunk).split("\n");
    rest = (parts.pop() ?? "").slice(0, LINE_CHARACTERS_MAX);
    for (const part of parts) book.add(part);
  });
  return new Promise((resolve) => {
    stream.once("close", () => {
      if (rest !== "") book.add(rest);
      resolve();
    });
  });
}
