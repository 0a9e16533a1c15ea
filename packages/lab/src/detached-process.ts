// Starts a process of the machine in a session of its own and keeps all that it says until it is
// read. Given the words of the command. It must never lose output of a process that ends early.

import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { PassThrough, type Readable, type Writable } from "node:stream";
import { describeError } from "@fairlead/runtime";
import { within } from "./deadline.ts";
import { labError } from "./lab-error.ts";
import type { LabUser } from "./namespace-command.ts";

/** How a process ended. */
export interface Exit {
  /** Undefined when a signal ended it. */
  readonly code: number | undefined;
  /** Undefined when it ended by itself. */
  readonly signal: NodeJS.Signals | undefined;
}

/** A started process. */
export interface DetachedProcess {
  /** Its id as this program sees it; 0 when it could not be started. */
  readonly pid: number;
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** What it writes to descriptor 3. */
  readonly announcements: Readable;
  /** Settles when it has ended. One that could not be started ends with code 127. */
  readonly exited: Promise<Exit>;
  hasExited(): boolean;
}

/** Starts a command. A failure to start it is told like an early end, with the cause on stderr. */
export function startDetached(
  words: readonly string[],
  user: LabUser,
  env: Readonly<Record<string, string>>,
): DetachedProcess {
  const [program = "", ...args] = words;
  const identity = user.identity === undefined ? {} : { ...user.identity };
  const child = spawn(program, args, {
    stdio: ["pipe", "pipe", "pipe", "pipe"],
    // Ctrl-C on the terminal must reach only the caller, which then ends the lab in good order.
    detached: true,
    cwd: "/",
    env: { ...env },
    ...identity,
  });
  const stderr = kept(child, 2);
  let ended = false;
  const exited = new Promise<Exit>((resolve) => {
    child.once("error", (error) => {
      stderr.write(`${describeError(error)}\n`);
      resolve({ code: 127, signal: undefined });
    });
    child.once("exit", (code, signal) => {
      resolve({ code: code ?? undefined, signal: signal ?? undefined });
    });
  });
  const others = ofLab(env);
  others.set(child, exited);
  void exited.then(() => {
    ended = true;
    others.delete(child);
  });
  return {
    pid: child.pid ?? 0,
    stdin: child.stdin.on("error", () => undefined),
    stdout: kept(child, 1),
    stderr,
    announcements: kept(child, 3),
    exited,
    hasExited: () => ended,
  };
}

/** Lets all children of the lab of this environment run on: one that is frozen sees no end. */
export function resumeAll(env: Readonly<Record<string, string>>): void {
  for (const { pid } of ofLab(env).keys()) if (pid !== undefined) sendSignal(pid, "SIGCONT");
}

/**
 * Resolves when all of them have ended: those that lead into the namespaces of the lab end a moment
 * after what they led there.
 */
export async function allEnded(env: Readonly<Record<string, string>>): Promise<void> {
  await Promise.all(ofLab(env).values());
}

/** Of those that run, by the mark of their lab. */
const running = new Map<string, Children>();
type Children = Map<ChildProcess, Promise<Exit>>;

function ofLab({ FAIRLEAD_LAB: lab = "" }: Readonly<Record<string, string>>): Children {
  const known = running.get(lab) ?? new Map();
  running.set(lab, known);
  return known;
}

/**
 * One output of a child, kept until somebody reads it. Node throws away what nobody reads of a
 * child that has ended, so each stream has a reader from the start.
 */
function kept(child: ChildProcess, descriptor: 1 | 2 | 3): PassThrough {
  const stream = child.stdio[descriptor] as Readable;
  const buffer = new PassThrough();
  stream.on("error", () => undefined);
  stream.once("close", () => buffer.end());
  stream.pipe(buffer);
  return buffer;
}

/** The first line of a stream, or undefined when it ends before. What follows is dropped. */
export function firstLine(stream: Readable): Promise<string | undefined> {
  return new Promise((resolve) => {
    let text = "";
    stream.setEncoding("utf8");
    stream.on("data", (chunk: string) => {
      text = text.includes("\n") ? text : text + chunk;
      const end = text.indexOf("\n");
      if (end >= 0) resolve(text.slice(0, end));
    });
    stream.once("close", () => resolve(undefined));
  });
}

const FAILURE_MS_MAX = 1_000;
const FAILURE_CHARACTERS_MAX = 2_000;

/** What a process that failed said on its standard error, in one line. */
export async function failureText(process: DetachedProcess): Promise<string> {
  let text = "";
  process.stderr.setEncoding("utf8");
  process.stderr.on("data", (chunk: string) => {
    text = (text + chunk).slice(0, FAILURE_CHARACTERS_MAX);
  });
  const closed = new Promise<void>((resolve) => {
    process.stderr.once("close", () => resolve());
  });
  await within(closed, FAILURE_MS_MAX, "reading what failed").catch(() => undefined);
  const said = text.trim().split("\n").join("; ");
  return said === "" ? "it said nothing" : said;
}

/** The first child of a process, as this program sees it. Undefined when there is none. */
export function firstChild(pid: number): number | undefined {
  try {
    const [first] = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ");
    return first === undefined || first === "" ? undefined : Number(first);
  } catch {
    return undefined;
  }
}

/** Sends a signal to a process of ours; one that has ended meanwhile is no failure. */
export function sendSignal(pid: number, signal: NodeJS.Signals): void {
  // 0 and below would mean whole groups of processes.
  if (pid <= 0) return;
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ESRCH") return;
    throw labError("NOT_POSSIBLE", `cannot signal process ${pid}: ${describeError(error)}`, error);
  }
}
