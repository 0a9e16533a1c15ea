// One daemon under s6: starts, ends, reloads it and says whether it runs. Given its folder. It
// never signals a process itself: s6-supervise does, so it works from another PID namespace too.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { type Clock, isEdgeError } from "@fairlead/runtime";
import type { ServiceState, SupervisedService } from "../supervised.ts";
import { createDaemonLog } from "./daemon-log.ts";
import { askToReload } from "./s6-control.ts";
import { type S6Programs, deadline } from "./s6-programs.ts";
import { readS6Status } from "./s6-status.ts";
import { setStartsByItself } from "./service-folder.ts";

/** What a service is made of. */
export interface S6ServiceOptions {
  readonly name: string;
  /** Its folder below the service folder. */
  readonly dir: string;
  readonly logDir: string;
  readonly programs: S6Programs;
  readonly clock: Clock;
  /** Starts the supervisor of the folder where none lives. Default: it is somebody else's to do. */
  readonly ensure?: () => Promise<void>;
  /** Ends what lives of it without a supervisor. */
  readonly endLeft: () => Promise<void>;
}

/** Above timeout-kill and timeout-finish together, after which s6 itself has ended it. */
const STOP_MS_MAX = 20_000;
/** The scripts of a daemon may first end what its last incarnation left, up to 4 s. */
const START_MS_MAX = 8000;
const POLL_MS = 10;

/** One supervised daemon. */
export function createS6Service(options: S6ServiceOptions): SupervisedService {
  const { name, dir, programs, clock } = options;

  let last: { readonly state: ServiceState; readonly atMs: number } | undefined;

  async function state(): Promise<ServiceState> {
    const found = await ask();
    last = { state: found, atMs: clock.nowMs() };
    return found;
  }

  async function ask(): Promise<ServiceState> {
    const read = readS6Status(dir);
    if (read !== undefined) return read;
    try {
      const [up, pid] = await programs.svstat(dir, "up,pid");
      return up === "true" ? { up: true, pid: Number(pid) } : { up: false };
    } catch (error) {
      // Nobody supervises it, so nothing of it is ours to call alive.
      if (isEdgeError(error, "NOT_SUPERVISED")) return { up: false };
      throw error;
    }
  }

  async function appears(): Promise<void> {
    const endMs = clock.nowMs() + START_MS_MAX;
    while (!(await state()).up) {
      if (clock.nowMs() >= endMs) {
        throw deadline(`start of ${name} took longer than ${START_MS_MAX} ms`);
      }
      await clock.sleep(POLL_MS);
    }
  }

  return {
    name,
    log: createDaemonLog(options.logDir),
    state,
    recentState: async (agoMsMax) => {
      const known = last;
      if (known === undefined || clock.nowMs() - known.atMs > agoMsMax) return await state();
      return known.state;
    },
    start: async () => {
      // Killed with all its supervisors it would stay down for ever: nobody else looks for them.
      if (!(await programs.svok(dir))) await options.ensure?.();
      await setStartsByItself(dir, true);
      await programs.svc(dir, "-u");
      await appears();
    },
    stop: async () => {
      if (!existsSync(dir)) return;
      await setStartsByItself(dir, false);
      if (!(await programs.svok(dir))) {
        // A supervisor that was killed leaves its daemon; one may have come in its place since.
        await options.endLeft();
        if (!(await programs.svok(dir))) return;
      }
      await programs.svcDown(dir, STOP_MS_MAX);
      // Whoever started it meanwhile means it to run.
      if ((await state()).up) await setStartsByItself(dir, true);
    },
    restart: () => programs.svc(dir, "-r"),
    reload: () => askToReload(dir),
  };
}

/** The folder of a service below the scanner's. */
export function serviceDirOf(scanDir: string, name: string): string {
  return join(scanDir, name);
}
