// One program of a cluster over its lives: started until it is ready, killed, frozen, started
// again. Given how it is started and how its readiness shows. It starts nothing by itself.

import { readFile } from "node:fs/promises";
import { labError } from "../lab-error.ts";
import type { RunningProgram } from "../running-program.ts";

/** A program of a cluster. */
export interface ClusterProgram {
  /** Starts it and waits until it is ready. Does nothing when it runs. */
  start(): Promise<void>;
  /** Ends it by SIGKILL, also when it is frozen, and waits until it is gone. */
  kill(): Promise<void>;
  /** Stops it from running at all: connections stay and nobody answers. */
  freeze(): Promise<void>;
  /** Lets it run on. */
  resume(): void;
  isRunning(): boolean;
  /** Its process id as this program sees it. */
  outsidePid(): number;
  /** The latest lines that it has said in its present or last life. */
  lines(): readonly string[];
  /** The memory that it has in use, in bytes. */
  memoryBytes(): Promise<number>;
}

/** How a program is started. */
export interface ClusterProgramOptions {
  /** What stands in messages. */
  readonly name: string;
  readonly start: () => Promise<RunningProgram>;
  /** Settles when the program is ready. Must give up within a time of its own. */
  readonly ready: (program: RunningProgram) => Promise<void>;
}

const LINES_TOLD = 20;

/** Makes a program that does not run yet. */
export function createClusterProgram(options: ClusterProgramOptions): ClusterProgram {
  let program: RunningProgram | undefined;
  const isRunning = (): boolean => program?.hasExited() === false;
  const lines = (): readonly string[] => program?.lines() ?? [];
  const running = (): RunningProgram => {
    if (program?.hasExited() === false) return program;
    throw labError("GONE", `${options.name} does not run`);
  };
  return {
    start: async () => {
      if (isRunning()) return;
      program = await options.start();
      const ended = program.exited.then(() => Promise.reject(new Error("it has ended")));
      await Promise.race([options.ready(program), ended]).catch((error: unknown) => {
        const said = lines().slice(-LINES_TOLD).join("\n");
        throw labError("NOT_POSSIBLE", `${options.name} is not ready; it said:\n${said}`, error);
      });
    },
    kill: async () => {
      program?.kill("SIGKILL");
      await program?.exited;
    },
    freeze: async () => running().freeze(),
    resume: () => running().resume(),
    isRunning,
    outsidePid: () => running().outsidePid,
    lines,
    memoryBytes: async () => {
      const status = await readFile(`/proc/${running().outsidePid}/status`, "utf8");
      return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
    },
  };
}
