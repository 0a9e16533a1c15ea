// The pipe that s6-supervise takes commands from, used without a process of its own: a reload is
// asked for with every change, and to start s6-svc for one byte costs this process more than all
// else of it. Given the service's folder. Everything rarer is left to s6's own programs.

import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { describeError } from "@fairlead/runtime";
import { notSupervised, s6Error } from "./s6-programs.ts";

/** What s6-svc(8) writes for `-h`: send SIGHUP. */
const HANGUP = "h";

/** Where the supervisor of this folder takes commands. */
export function controlPath(serviceDir: string): string {
  return join(serviceDir, "supervise", "control");
}

/** Opening it waits for nobody, whether a supervisor reads it or not. */
export const OPEN_CONTROL: number = constants.O_WRONLY | constants.O_NONBLOCK;

/**
 * Has the supervisor send SIGHUP to its daemon. Resolves when it was told, not when it was done.
 * Rejects with EdgeError<SupervisorErrorCode>.
 */
export async function askToReload(serviceDir: string): Promise<void> {
  try {
    await using control = await open(controlPath(serviceDir), OPEN_CONTROL);
    await control.write(HANGUP);
  } catch (error) {
    if (isNobody(error)) throw notSupervised(serviceDir);
    const message = `cannot ask ${serviceDir} to reload: ${describeError(error)}`;
    throw s6Error("S6_FAILED", message, error);
  }
}

/** No reader, no pipe, or a reader that ended between opening and writing. */
function isNobody(error: unknown): boolean {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return code === "ENXIO" || code === "ENOENT" || code === "EPIPE";
}
