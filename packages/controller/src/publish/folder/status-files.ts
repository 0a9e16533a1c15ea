// The files of a status folder: writes what differs, removes what is stale, and leaves every file
// alone that is not ours. Given names of our own making. A link that somebody put in the way is
// replaced and never followed.

import type { Stats } from "node:fs";
import { lstat, mkdir, readdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { compareText } from "@fairlead/model";
import {
  EdgeError,
  type FileErrorCode,
  fileError,
  isEdgeError,
  readFileBounded,
} from "@fairlead/runtime";

import { STATUS_HEADER } from "../../folder/own-status.ts";

/** Largest status file that is read back; ours are far smaller. */
const FILE_BYTES_MAX = 256 * 1024;
const FILE_MODE = 0o644;

/** A folder of status files. */
export interface StatusFiles {
  /**
   * Makes the folder hold exactly these files of ours, by name. Rejects with the first
   * EdgeError<FileErrorCode>; whatever could be written was.
   */
  replace(wanted: ReadonlyMap<string, string>): Promise<void>;
  /**
   * Writes one more, and leaves the others as they are; from then on somebody else may write here.
   * One call of either at a time.
   */
  leave(name: string, text: string): Promise<void>;
}

/** Makes the port onto `folder`; its parent must exist, it itself need not. */
export function createStatusFiles(folder: string): StatusFiles {
  let known: ReadonlyMap<string, string> = new Map();
  let identity = "";

  async function change(
    wantedOf: (there: ReadonlyMap<string, string>) => ReadonlyMap<string, string>,
  ): Promise<void> {
    const now = await openFolder(folder);
    const names = await readNames(folder);
    // Another folder than the one written to: nothing of it is known.
    if (now !== identity) known = new Map();
    identity = now;
    // What somebody removed is written again, and what another controller wrote is ours as well.
    known = new Map([...known].filter(([name]) => names.has(name)));
    const unknown = [...names].filter((name) => !known.has(name));
    known = new Map([...known, ...(await readOwn(folder, unknown))]);
    const result = await writeDifference(folder, known, wantedOf(known));
    known = result.known;
    if (result.error !== undefined) throw result.error;
  }

  return {
    replace: (wanted) => change(() => wanted),
    leave: async (name, text) => {
      try {
        await change((there) => new Map([...there, [name, text]]));
      } finally {
        identity = "";
      }
    },
  };
}

/** Makes sure that the folder is there and returns what tells it from another. */
async function openFolder(folder: string): Promise<string> {
  const operation = `cannot write ${folder}`;
  let stats: Stats;
  try {
    await mkdir(folder).catch((error: unknown) => {
      if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
    });
    stats = await lstat(folder);
  } catch (error) {
    throw fileError(error, operation);
  }
  if (stats.isDirectory()) return `${stats.dev}:${stats.ino}`;
  const message = `${operation}: it is not a folder`;
  throw new EdgeError<FileErrorCode>({ code: "IO", message, retryable: false });
}

async function readNames(folder: string): Promise<ReadonlySet<string>> {
  try {
    return new Set((await readdir(folder)).toSorted(compareText));
  } catch (error) {
    throw fileError(error, `cannot read ${folder}`);
  }
}

/** Files of ours that an earlier life left, or another controller, with their text. */
async function readOwn(
  folder: string,
  names: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const own = new Map<string, string>();
  for (const name of names) {
    if (!name.endsWith(".yaml")) continue;
    const text = await readOne(join(folder, name));
    if (text?.startsWith(`${STATUS_HEADER}\n`) === true) own.set(name, text);
  }
  return own;
}

async function readOne(path: string): Promise<string | undefined> {
  try {
    if (!(await lstat(path)).isFile()) return undefined;
    return (await readFileBounded(path, FILE_BYTES_MAX)).toString("utf8");
  } catch (error) {
    if (isEdgeError(error) || (error instanceof Error && "code" in error)) return undefined;
    throw error;
  }
}

async function writeDifference(
  folder: string,
  known: ReadonlyMap<string, string>,
  wanted: ReadonlyMap<string, string>,
): Promise<{ readonly known: ReadonlyMap<string, string>; readonly error: Error | undefined }> {
  const next = new Map(known);
  let firstError: Error | undefined;
  for (const [name, text] of wanted) {
    if (known.get(name) === text) continue;
    try {
      await replaceFile(folder, name, text);
      next.set(name, text);
    } catch (error) {
      next.delete(name);
      firstError ??= fileError(error, `cannot write ${join(folder, name)}`);
    }
  }
  for (const name of known.keys()) {
    if (wanted.has(name)) continue;
    try {
      await rm(join(folder, name), { force: true });
      next.delete(name);
    } catch (error) {
      firstError ??= fileError(error, `cannot remove ${join(folder, name)}`);
    }
  }
  return { known: next, error: firstError };
}

/**
 * Whole or not at all for every reader. Not synced to the disk: after a power cut the first
 * publication writes it again.
 */
async function replaceFile(folder: string, name: string, text: string): Promise<void> {
  const temporary = join(folder, `.${name}.tmp`);
  await rm(temporary, { force: true });
  try {
    await writeFile(temporary, text, { flag: "wx", mode: FILE_MODE });
    await rename(temporary, join(folder, name));
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw error;
  }
}
