// One process inside namespaces, started from outside of them. Given the process to enter and the
// command. It knows both ids of the process, inside and outside; it never kills by name, and the
// program that enters (nsenter) is only a shell around the real one.

import { readFileSync } from "node:fs";
import type { Readable, Writable } from "node:stream";
import { within } from "./deadline.ts";
import {
  type DetachedProcess,
  type Exit,
  failureText,
  firstChild,
  firstLine,
  sendSignal,
  startDetached,
} from "./detached-process.ts";
import { labError } from "./lab-error.ts";
import { monotonicMs } from "./monotonic.ts";
import { announcingCommand, enterCommand, type LabUser } from "./namespace-command.ts";

/** Where to run: the process whose namespaces are entered, and as whom. */
export interface Target {
  /** A process id as this program sees it. */
  readonly pid: number;
  readonly user: LabUser;
  /** The working directory in there. */
  readonly directory: string;
  /** The whole environment of the process. */
  readonly env: Readonly<Record<string, string>>;
}

/** A process inside. */
export interface InsideProcess {
  /** Its id as its own host sees it. */
  readonly pid: number;
  /** Its id as this program sees it; 0 when it ended at once. */
  readonly outsidePid: number;
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Settles when the process has ended; its outputs may have more to be read. */
  readonly exited: Promise<Exit>;
  /** Whether it has ended. */
  hasExited(): boolean;
  /** Sends a signal; does nothing when the process has ended. For SIGSTOP there is `freeze`. */
  kill(signal: NodeJS.Signals): void;
  /** Stops it and waits until none of its threads runs. */
  freeze(): Promise<void>;
  /** Lets it run on. */
  resume(): void;
}

/** Entering takes milliseconds; a machine that needs this long is broken. */
const ENTER_MS_MAX = 10_000;
const FREEZE_MS_MAX = 5_000;

/** Starts `command` in the namespaces of the target and waits until it is there. */
export async function startInside(
  target: Target,
  command: readonly string[],
): Promise<InsideProcess> {
  const words = enterCommand(target.pid, announcingCommand(target.directory, command), target.user);
  const entering = startDetached(words, target.user, target.env);
  const announced = await within(
    firstLine(entering.announcements),
    ENTER_MS_MAX,
    `entering to run ${command[0]}`,
  ).catch((error: unknown) => {
    sendSignal(entering.pid, "SIGKILL");
    throw error;
  });
  if (announced === undefined) {
    const why = await failureText(entering);
    throw labError("GONE", `cannot run ${command[0]} in the namespaces of ${target.pid}: ${why}`);
  }
  const outsidePid = firstChild(entering.pid) ?? 0;
  return {
    pid: Number(announced),
    outsidePid,
    stdin: entering.stdin,
    stdout: entering.stdout,
    stderr: entering.stderr,
    exited: entering.exited,
    hasExited: () => entering.hasExited(),
    kill: (signal) => {
      if (entering.hasExited()) return;
      sendSignal(outsidePid, signal);
      // Else it would not learn of the end of a process that was frozen.
      if (signal === "SIGKILL") sendSignal(entering.pid, "SIGCONT");
    },
    freeze: async () => {
      if (entering.hasExited() || isStopped(entering.pid)) return;
      // One that was resumed a moment ago is told so by nsenter, maybe after the next signal.
      await until(entering, () => !isStopped(outsidePid));
      sendSignal(outsidePid, "SIGSTOP");
      await until(entering, () => isStopped(entering.pid));
    },
    resume: () => {
      if (!entering.hasExited()) sendSignal(entering.pid, "SIGCONT");
    },
  };
}

/**
 * nsenter stops itself when the process that it waits for is stopped, all threads of it, and lets
 * that one run on when it is told to run on itself.
 */
async function until(entering: DetachedProcess, isSo: () => boolean): Promise<void> {
  const endMs = monotonicMs() + FREEZE_MS_MAX;
  while (!entering.hasExited() && !isSo()) {
    if (monotonicMs() >= endMs) throw labError("DEADLINE", "a process does not freeze");
    await new Promise((resolve) => setImmediate(resolve));
  }
}

function isStopped(pid: number): boolean {
  try {
    return /^State:\s+T/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}
