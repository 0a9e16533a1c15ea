// The kernel's own name for this boot of the host. Reads it and nothing else.

import { readFile } from "node:fs/promises";

/** A UUID that is another one after each boot; containers of one host have the same. */
export async function readBootId(): Promise<string> {
  return (await readFile("/proc/sys/kernel/random/boot_id", "utf8")).trim();
}
