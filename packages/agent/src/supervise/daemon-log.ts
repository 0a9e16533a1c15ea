// Reads what a daemon said since a moment, from the folder that s6-log writes: `current`, and
// rotated files named after their time. Given the folder. It never writes or removes anything.

import { open, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import type { DaemonLog, LogMark } from "../supervised.ts";

const CURRENT = "current";
/** More than this is not read: the newest is what says why. */
const BYTES_MAX = 256 * 1024;
/** What s6-log puts before each line: ISO date, time with nine decimals, two spaces. */
const STAMP = /^\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}\.\d+ {2}/;

/** Opens the log of one daemon. It need not exist yet. */
export function createDaemonLog(folder: string): DaemonLog {
  return {
    mark: () => markOf(folder),
    since: async (mark) => {
      const text = await textSince(folder, mark);
      // The last part is a line that is still being written, or empty.
      const lines = text.split("\n").slice(0, -1);
      return lines.map((line) => line.replace(STAMP, ""));
    },
  };
}

async function markOf(folder: string): Promise<LogMark> {
  const found = await statOrNothing(join(folder, CURRENT));
  return found === undefined ? { inode: 0n, offset: 0 } : found;
}

async function textSince(folder: string, mark: LogMark): Promise<string> {
  const current = join(folder, CURRENT);
  const now = await statOrNothing(current);
  if (now === undefined) return "";
  if (now.inode === mark.inode) return readFrom(current, mark.offset);
  const rotated = await rotatedSince(folder, mark);
  return `${rotated}${await readFrom(current, 0)}`.slice(-BYTES_MAX);
}

/** s6-log renames `current`, so the file of the mark is found by its inode while it is kept. */
async function rotatedSince(folder: string, mark: LogMark): Promise<string> {
  if (mark.inode === 0n) return "";
  const names = (await readdir(folder)).filter((name) => name.startsWith("@")).sort();
  let text = "";
  let found = false;
  for (const name of names) {
    const path = join(folder, name);
    const marked = (await statOrNothing(path))?.inode === mark.inode;
    if (marked) found = true;
    if (found) text += await readFrom(path, marked ? mark.offset : 0);
  }
  return text;
}

async function statOrNothing(path: string): Promise<LogMark | undefined> {
  try {
    const { ino, size } = await stat(path, { bigint: true });
    return { inode: ino, offset: Number(size) };
  } catch {
    // Not written yet, or rotated away between two looks; the next look tells.
    return undefined;
  }
}

async function readFrom(path: string, offset: number): Promise<string> {
  try {
    await using file = await open(path);
    const { size } = await file.stat();
    const start = Math.max(offset, size - BYTES_MAX);
    const length = Math.max(0, size - start);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, start);
    return buffer.subarray(0, bytesRead).toString("utf8");
  } catch {
    return "";
  }
}
