// The processes of s6 in a sandbox, for tests that kill them. For tests alone: it ends every s6
// that it sees, so it must never be called outside of a sandbox.

import { readdir, readFile } from "node:fs/promises";

/** Ids and command lines of everything that runs in the sandbox, without zombies. */
export async function running(): Promise<readonly (readonly [number, string])[]> {
  const found: [number, string][] = [];
  for (const pid of await readdir("/proc")) {
    if (!/^[0-9]+$/.test(pid)) continue;
    const line = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
    if (line !== "") found.push([Number(pid), line.replaceAll("\0", " ").trim()]);
  }
  return found;
}

/** The first whose command line begins with this; undefined when there is none. */
export async function findPid(command: string): Promise<number | undefined> {
  return (await running()).find(([, line]) => `${line} `.startsWith(command))?.[0];
}

/** The scanner first, or it would start new supervisors. */
export async function killS6(): Promise<void> {
  for (const word of ["/usr/bin/s6-svscan ", "s6-"]) {
    for (let pid = await findPid(word); pid !== undefined; pid = await findPid(word)) {
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // A logger ended by itself meanwhile.
      }
    }
  }
}
