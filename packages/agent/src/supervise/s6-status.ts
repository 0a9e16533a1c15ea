// A service's state as s6-supervise keeps it in its folder, read without a process: s6-svstat does
// the same, and is asked wherever this does not know what it sees. Given the service's folder. It
// is read without waiting, as it stands in memory: the loop asks every second, and a turn of the
// thread pool for each step costs ten times as much.

import { closeSync, constants, openSync, readSync } from "node:fs";
import { join } from "node:path";
import type { ServiceState } from "../supervised.ts";
import { controlPath, OPEN_CONTROL } from "./s6-control.ts";

/** s6 2.11 packs so many bytes; what others mean by theirs is for their own program to say. */
const STATUS_BYTES = 35;
/** Big-endian: two time stamps of 12 bytes come first, then the process. */
const PID_OFFSET = 24;
const FLAGS_OFFSET = 34;
/** The process is that of the finish script. */
const IS_FINISHING = 0b10;

/**
 * Reads it. Never throws.
 * @returns undefined where no supervisor lives, or where its file is none that is known here.
 */
export function readS6Status(serviceDir: string): ServiceState | undefined {
  try {
    // The supervisor alone reads this pipe: so does s6-svok ask.
    closeSync(openSync(controlPath(serviceDir), OPEN_CONTROL));
    const bytes = readStatus(join(serviceDir, "supervise", "status"));
    if (bytes.length !== STATUS_BYTES) return undefined;
    const pid = Number(bytes.readBigUInt64BE(PID_OFFSET));
    const isFinishing = (bytes.readUInt8(FLAGS_OFFSET) & IS_FINISHING) !== 0;
    return pid === 0 || isFinishing ? { up: false } : { up: true, pid };
  } catch {
    return undefined;
  }
}

/** All of it, or one byte more than is known here. */
function readStatus(path: string): Buffer {
  // Without O_NONBLOCK the opening of a pipe would wait for its writer, for ever.
  const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const buffer = Buffer.alloc(STATUS_BYTES + 1);
    return buffer.subarray(0, readSync(file, buffer));
  } finally {
    closeSync(file);
  }
}
