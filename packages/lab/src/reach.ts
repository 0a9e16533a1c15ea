// What this program does inside a place made of namespaces: files, commands, programs. Given how to
// find the process whose namespaces they are. Where there is none it rejects, and it keeps nothing.

import { readFile } from "node:fs/promises";
import {
  type CommandOptions,
  type CommandResult,
  outputInside,
  runInside,
} from "./command-result.ts";
import { startInside, type Target } from "./inside-process.ts";
import {
  createRunningProgram,
  type ProgramOptions,
  type RunningProgram,
} from "./running-program.ts";

/** The ways into a place. */
export interface Reach {
  /**
   * Where this program finds a file of the running place, whose own path is absolute. For reading
   * only: root of the machine may be nobody in there. Not for /proc/sys/net, where every reader
   * sees its own network.
   */
  outsidePath(path: string): string;
  /** The text of a file of the running place. Rejects as node:fs does. */
  readFile(path: string): Promise<string>;
  /** Writes a file of the running place, whole or not at all, and the folders on the way to it. */
  writeFile(path: string, text: string): Promise<void>;
  /** Removes a file or folder of the running place; one that is not there is no failure. */
  removeFile(path: string): Promise<void>;
  /** Runs a command to its end. A bad exit code is a result. */
  exec(command: string, args?: readonly string[], options?: CommandOptions): Promise<CommandResult>;
  /** Runs a command that must succeed, and gives what it wrote. */
  output(command: string, args?: readonly string[], options?: CommandOptions): Promise<string>;
  /** Starts a program and leaves it running. */
  start(
    command: string,
    args?: readonly string[],
    options?: ProgramOptions,
  ): Promise<RunningProgram>;
}

/** The new text lies under a hidden name first: whoever watches the folder sees only the whole. */
const WRITE_FILE = `
set -eu
folder=$(dirname -- "$1")
mkdir -p -- "$folder"
new="$folder/.$(basename -- "$1").new"
cat >"$new"
mv -- "$new" "$1"
`;

/** Makes the ways in. `target` is asked each time and throws when there is nothing to enter. */
export function createReach(name: string, target: () => Target): Reach {
  const outsidePath = (path: string): string => `/proc/${target().pid}/root${path}`;
  return {
    outsidePath,
    readFile: async (path) => readFile(outsidePath(path), "utf8"),
    writeFile: async (path, text) => {
      await outputInside(target(), ["sh", "-c", WRITE_FILE, "sh", path], { input: text });
    },
    removeFile: async (path) => {
      await outputInside(target(), ["rm", "-rf", "--", path]);
    },
    exec: async (command, args = [], options = {}) =>
      runInside(target(), [command, ...args], options),
    output: async (command, args = [], options = {}) =>
      outputInside(target(), [command, ...args], options),
    start: async (command, args = [], options = {}) => {
      const where = target();
      const env = { ...where.env, ...options.env };
      const process = await startInside({ ...where, env }, [command, ...args]);
      return createRunningProgram(process, `${command} on ${name}`, options);
    },
  };
}
