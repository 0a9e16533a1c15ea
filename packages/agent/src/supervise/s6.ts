// The supervisor of the data plane: adopts the s6-svscan that lives on the run directory or starts
// one in a session of its own, so that keepalived and nginx outlive the agent. Given the layout
// and the programs. It never starts a second one, and nothing of it is a child that ends with us.

import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { open, rm, stat, truncate } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type Clock, EdgeError, type Logger, describeError, runProgram } from "@fairlead/runtime";
import type { DataPlaneLayout, DataPlanePrograms } from "../data-plane-layout.ts";
import type { DataPlaneSupervisor } from "../ports.ts";
import type { SupervisedService, SupervisorErrorCode } from "../supervised.ts";
import { createS6Programs, deadline, type S6Programs } from "./s6-programs.ts";
import { createS6Service, serviceDirOf } from "./s6-service.ts";
import { type ServiceName, SWEEP_DEAD } from "./service-scripts.ts";
import { SERVICES, keepServicesDown, writeServiceFolder } from "./service-folder.ts";

/** What the supervisor is made of. */
export interface S6SupervisorOptions {
  readonly layout: DataPlaneLayout;
  /** Absolute paths, as the preflight found them. */
  readonly programs: DataPlanePrograms;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The supervisor with its daemons. */
export interface S6Supervisor extends DataPlaneSupervisor {
  readonly keepalived: SupervisedService;
  /** The one for TCP. */
  readonly nginx: SupervisedService;
  readonly nginxUdp: SupervisedService;
}

const APPEAR_MS_MAX = 5000;
const END_MS_MAX = 10_000;
const LOGS_END_MS_MAX = 3000;
const POLL_MS = 10;
const SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const SCANNER_LOG_BYTES_MAX = 1_000_000;

/** Makes the supervisor of one run directory. Nothing happens before `ensure`. */
export function createS6Supervisor(options: S6SupervisorOptions): S6Supervisor {
  const { layout, clock, logger } = options;
  const s6 = createS6Programs(options.programs.s6Svscan);
  const scan = createScan(layout.serviceDir, s6, clock);
  const service = (name: ServiceName, logDir: string): SupervisedService =>
    createS6Service({
      name,
      dir: serviceDirOf(layout.serviceDir, name),
      logDir,
      programs: s6,
      clock,
      ensure,
      endLeft: () => endLeft(layout, name),
    });
  const keepalived = service("keepalived", layout.keepalived.logDir);
  const nginx = service("nginx", layout.nginx.logDir);
  const nginxUdp = service("nginx-udp", layout.nginxUdp.logDir);

  const sweepDead = (): Promise<void> => runScript(join(layout.serviceDir, SWEEP_DEAD));

  async function ensure(): Promise<void> {
    await writeServiceFolder(layout, options.programs);
    if (await s6.svscanctl(layout.serviceDir, "-a")) {
      await scan.appears();
      await boundScannerLog(layout.scannerLog);
      return;
    }
    // Where all is dead two hosts have its addresses by now: this comes before all questions, and
    // does nothing while a keepalived of ours lives.
    await sweepDead();
    const left = await scan.supervised();
    if (left.length === scan.dirs.length) {
      logger.warn({ serviceDir: layout.serviceDir }, "s6-svscan is gone, its services go on");
      return;
    }
    // A scanner was killed and a part of its services too: only a whole new start is orderly.
    if (left.length > 0) {
      await scan.endOrphans(left);
      await sweepDead();
    }
    await keepServicesDown(layout);
    await startScanner(options);
    await scan.appears();
    logger.info({ serviceDir: layout.serviceDir }, "started the supervisor of the data plane");
  }

  async function end(): Promise<void> {
    await keepalived.stop();
    await Promise.all([nginx.stop(), nginxUdp.stop()]);
    const isTold = await s6.svscanctl(layout.serviceDir, "-t");
    // A log ends with the last process that writes into it, which may be none of ours.
    if (!isTold || !(await scan.disappears(LOGS_END_MS_MAX))) {
      await scan.endOrphans(await scan.supervised());
    }
    if (!(await scan.disappears(END_MS_MAX))) {
      throw deadline(`end of the supervisor on ${layout.serviceDir} took too long`);
    }
    await endLeftovers(layout);
    logger.info({ serviceDir: layout.serviceDir }, "ended the data plane");
  }

  return { keepalived, nginx, nginxUdp, ensure, end };
}

/** The scanner with the supervisors of services and logs, as seen in its folder. */
interface Scan {
  /** Folders of services and of their logs. */
  readonly dirs: readonly string[];
  /** Those of `dirs` that a supervisor lives for. */
  supervised(): Promise<readonly string[]>;
  appears(): Promise<void>;
  /** False when something still lives after this time. */
  disappears(ms: number): Promise<boolean>;
  /** Ends supervisors that no scanner looks after, with their daemons. */
  endOrphans(dirs: readonly string[]): Promise<void>;
}

function createScan(scanDir: string, s6: S6Programs, clock: Clock): Scan {
  const dirs = SERVICES.flatMap((name) => {
    const dir = serviceDirOf(scanDir, name);
    return [dir, join(dir, "log")];
  });

  async function supervised(): Promise<readonly string[]> {
    const found: string[] = [];
    for (const dir of dirs) if (await s6.svok(dir)) found.push(dir);
    return found;
  }

  /** False when it did not happen in time. */
  async function until(isDone: () => Promise<boolean>, ms: number): Promise<boolean> {
    const endMs = clock.nowMs() + ms;
    while (!(await isDone())) {
      if (clock.nowMs() >= endMs) return false;
      await clock.sleep(POLL_MS);
    }
    return true;
  }

  const nobody = async (): Promise<boolean> => (await supervised()).length === 0;
  const everybody = async (): Promise<boolean> => (await supervised()).length === dirs.length;
  return {
    dirs,
    supervised,
    appears: async () => {
      if (await until(everybody, APPEAR_MS_MAX)) return;
      throw deadline(`start of the supervisor on ${scanDir} took longer than ${APPEAR_MS_MAX} ms`);
    },
    disappears: (ms) =>
      until(async () => !(await s6.svscanctl(scanDir, "-a")) && (await nobody()), ms),
    endOrphans: async (orphans) => {
      for (const dir of orphans) await s6.svc(dir, "-xd");
      if (await until(nobody, END_MS_MAX)) return;
      throw deadline(`end of supervisors left on ${scanDir} took longer than ${END_MS_MAX} ms`);
    },
  };
}

/** Ends a daemon that no supervisor looks after any more, and sweeps its addresses. */
async function endLeft({ serviceDir }: DataPlaneLayout, name: ServiceName): Promise<void> {
  const finish = join(serviceDirOf(serviceDir, name), "finish");
  if (existsSync(finish)) await runScript(finish);
}

/** Ends all that is left, and forgets what it had. */
async function endLeftovers(layout: DataPlaneLayout): Promise<void> {
  for (const name of SERVICES) await endLeft(layout, name);
  // All addresses are given up: whoever adds one of them from now on is somebody else.
  const { sweep, config, taken, dataPath, dataPathUdp } = layout.keepalived;
  for (const path of [sweep, config, taken]) await rm(path, { force: true });
  // That nginx is down was said of this life of the data plane.
  for (const path of [dataPath, dataPathUdp]) await rm(path, { force: true });
}

async function runScript(path: string): Promise<void> {
  const limits = { timeoutMs: END_MS_MAX, maxOutputBytes: 0 };
  await runProgram({ command: "sh", args: [path], ...limits });
}

/**
 * Starts s6-svscan in a session of its own with nothing of ours open: neither the end of the agent
 * nor Ctrl-C in its terminal reaches it.
 */
async function startScanner(options: S6SupervisorOptions): Promise<void> {
  const { layout, programs } = options;
  await using log = await openScannerLog(layout.scannerLog);
  const child = spawn(programs.s6Svscan, [layout.serviceDir], {
    cwd: "/",
    detached: true,
    stdio: ["ignore", log.fd, log.fd],
    env: { PATH: `${dirname(programs.s6Svscan)}:${SYSTEM_PATH}`, LC_ALL: "C" },
  });
  await new Promise<void>((resolve, reject) => {
    child.once("spawn", () => resolve());
    child.once("error", (error) => reject(startError(layout, error)));
  });
  child.unref();
}

async function openScannerLog(path: string): ReturnType<typeof open> {
  return open(path, "a");
}

/** It only grows in trouble, one line a second; whoever looks next cuts it. */
async function boundScannerLog(path: string): Promise<void> {
  const size = await stat(path).then(
    (found) => found.size,
    () => 0,
  );
  if (size > SCANNER_LOG_BYTES_MAX) await truncate(path, 0);
}

function startError(layout: DataPlaneLayout, error: unknown): EdgeError<SupervisorErrorCode> {
  return new EdgeError({
    code: "S6_FAILED",
    message: `cannot start s6-svscan on ${layout.serviceDir}: ${describeError(error)}`,
    retryable: true,
    cause: error,
  });
}
