// A service's state as s6-supervise keeps it in its folder, read without a process: s6-svstat does
// the same, and is asked wherever this does not know what it sees. Given the service's folder.

import { join } from "node:path";
import { readFileBounded } from "@fairlead/runtime";
import type { ServiceState } from "../supervised.ts";
import { openControl } from "./s6-control.ts";

/** s6 2.11 packs so many bytes; what others mean by theirs is for their own program to say. */
const STATUS_BYTES = 35;
/** Big-endian: two time stamps of 12 bytes come first, then the process. */
const PID_OFFSET = 24;
const FLAGS_OFFSET = 34;
/** The process is that of the finish script. */
const IS_FINISHING = 0b10;

/**
 * Reads it. Never rejects.
 * @returns undefined where no supervisor lives, or where its file is none that is known here.
 */
export async function readS6Status(serviceDir: string): Promise<ServiceState | undefined> {
  try {
    // The supervisor alone reads this pipe: so does s6-svok ask.
    await (await openControl(serviceDir)).close();
    const bytes = await readFileBounded(join(serviceDir, "supervise", "status"), STATUS_BYTES);
    if (bytes.length !== STATUS_BYTES) return undefined;
    const pid = Number(bytes.readBigUInt64BE(PID_OFFSET));
    const isFinishing = (bytes.readUInt8(FLAGS_OFFSET) & IS_FINISHING) !== 0;
    return pid === 0 || isFinishing ? { up: false } : { up: true, pid };
  } catch {
    return undefined;
  }
}
