// One process inside namespaces, started from outside of them. Given the process to enter and the
// command. It knows both ids of the process, inside and outside; it never kills by name, and the
// program that enters (nsenter) is only a shell around the real one.

import type { Readable, Writable } from "node:stream";
import { within } from "./deadline.ts";
import {
  type Exit,
  failureText,
  firstChild,
  firstLine,
  sendSignal,
  startDetached,
} from "./detached-process.ts";
import { labError } from "./lab-error.ts";
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
  /** Sends a signal; does nothing when the process has ended. */
  kill(signal: NodeJS.Signals): void;
}

/** Entering takes milliseconds; a machine that needs this long is broken. */
const ENTER_MS_MAX = 10_000;

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
      if (!entering.hasExited()) sendSignal(outsidePid, signal);
    },
  };
}
