// The one file of a daemon on disk with its candidate beside it: written apart, checked by the
// daemon's own checker, then swapped in whole. Given the two paths. It never leaves half a file
// under the final name. No fsync: the run directory is lost at a reboot, and so may its files be.

import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { EdgeError, describeError } from "@fairlead/runtime";

/** Why a daemon's file could not be written. */
export type ConfigFileErrorCode = "RUN_DIR";

/** A daemon's file. Rejects with EdgeError<ConfigFileErrorCode>. */
export interface ConfigFile {
  /** What the daemon reads at its next start or reload; undefined when there is none. */
  read(): Promise<string | undefined>;
  /** Writes the candidate, for the checker. */
  propose(text: string): Promise<void>;
  withdraw(): Promise<void>;
  /** Makes `text` the file. */
  swap(text: string): Promise<void>;
  remove(): Promise<void>;
}

/** The file at `path`, with its candidate at `candidate` in the same folder. */
export function createConfigFile(path: string, candidate: string): ConfigFile {
  const propose = (text: string): Promise<void> => writeFile(candidate, text, { mode: 0o600 });
  return {
    read: async () => {
      try {
        return await readFile(path, "utf8");
      } catch {
        // None yet, or one that cannot be read: written anew either way.
        return undefined;
      }
    },
    propose: (text) => mapped(path, () => propose(text)),
    withdraw: () => mapped(path, () => rm(candidate, { force: true })),
    swap: (text) =>
      mapped(path, async () => {
        await propose(text);
        await rename(candidate, path);
      }),
    remove: () => mapped(path, () => rm(path, { force: true })),
  };
}

async function mapped(path: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    throw new EdgeError<ConfigFileErrorCode>({
      code: "RUN_DIR",
      message: `cannot write ${path}: ${describeError(error)}`,
      retryable: true,
      cause: error,
    });
  }
}
