// Process 1 of the stage or of a host: starts it, waits until it is ready, ends it with everything
// that runs under it. Given its command. Its end is the end of all processes of its namespaces.

import { readFileSync } from "node:fs";
import { within } from "./deadline.ts";
import {
  type DetachedProcess,
  failureText,
  firstChild,
  firstLine,
  sendSignal,
  startDetached,
} from "./detached-process.ts";
import { labError } from "./lab-error.ts";
import type { LabUser } from "./namespace-command.ts";

/** What to start. */
export interface InitOptions {
  /** The stage or the host, for messages. */
  readonly name: string;
  /** The whole command, from unshare or nsenter on. */
  readonly command: readonly string[];
  /** Processes between the spawned one and process 1: 1 for unshare, 2 with nsenter before it. */
  readonly depth: number;
  readonly user: LabUser;
  readonly env: Readonly<Record<string, string>>;
}

/** A running process 1. */
export interface InitProcess {
  /** The spawned process, as this program sees it. */
  readonly outerPid: number;
  /** Process 1 of the namespaces, as this program sees it. */
  readonly pid: number;
  /** Its ids from the outermost namespace to its own, where it is 1. */
  readonly pidChain: readonly number[];
  /** Settles when it and everything under it has ended. */
  readonly exited: Promise<void>;
  hasExited(): boolean;
  /** Ends it and everything under it at once, like a power cut, and waits for that. */
  end(): Promise<void>;
}

const READY_MS_MAX = 15_000;
const END_MS_MAX = 15_000;

/** Starts process 1 and waits for it to have made its view of the machine. */
export async function startInit(options: InitOptions): Promise<InitProcess> {
  const outer = startDetached(options.command, options.user, options.env);
  try {
    const line = await within(firstLine(outer.stdout), READY_MS_MAX, `start of ${options.name}`);
    if (line !== "ready") throw await notStarted(options.name, outer);
  } catch (error) {
    sendSignal(outer.pid, "SIGKILL");
    throw error;
  }
  const pid = descend(outer.pid, options.depth);
  if (pid === undefined) throw labError("GONE", `${options.name} ended as soon as it was ready`);
  return {
    outerPid: outer.pid,
    pid,
    pidChain: readPidChain(pid),
    exited: outer.exited.then(() => undefined),
    hasExited: () => outer.hasExited(),
    end: async () => {
      if (!outer.hasExited()) sendSignal(pid, "SIGKILL");
      await within(outer.exited, END_MS_MAX, `end of ${options.name}`);
      outer.stdin.destroy();
    },
  };
}

async function notStarted(name: string, outer: DetachedProcess): Promise<Error> {
  const why = await failureText(outer);
  return labError("NOT_POSSIBLE", `cannot make the namespaces of ${name}: ${why}`);
}

function descend(pid: number, depth: number): number | undefined {
  let found: number | undefined = pid;
  for (let level = 0; level < depth && found !== undefined; level += 1) found = firstChild(found);
  return found;
}

function readPidChain(pid: number): readonly number[] {
  const line = /^NSpid:\s*(.*)$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? "";
  return line.split(/\s+/).map(Number);
}
