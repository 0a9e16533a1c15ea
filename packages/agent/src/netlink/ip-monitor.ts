// Watches links and addresses by the program `ip monitor`, for hosts whose kernel grants no large
// receive buffer (net.core.rmem_max): a burst would overflow it, and the netlink package then
// aborts the whole process. Given the program. It only says that something changed.

import { type ChildProcess, spawn } from "node:child_process";
import type { Clock, Logger, Timer } from "@fairlead/runtime";

/** What the watch is made of. */
export interface IpMonitorOptions {
  /** `ip` of iproute2, an absolute path. */
  readonly ipProgram: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly onChange: () => void;
}

/** A monitor that ended is started again after this long. */
const RETRY_MS = 1000;

/** Watches until disposed. */
export function watchByProgram(options: IpMonitorOptions): Disposable {
  const { clock, logger, onChange } = options;
  let child: ChildProcess | undefined;
  let timer: Timer | undefined;
  let stopped = false;

  function start(): void {
    child = spawn(options.ipProgram, ["-o", "monitor", "link", "address"], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    // What changed while nobody watched is unknown.
    onChange();
    child.stdout?.on("data", onChange);
    child.once("error", again);
    child.once("exit", again);
  }

  function again(): void {
    if (stopped || timer !== undefined) return;
    logger.warn({ program: options.ipProgram }, "ip monitor ended, starting it again");
    timer = clock.setTimer(RETRY_MS, () => {
      timer = undefined;
      start();
    });
  }

  start();
  return {
    [Symbol.dispose]: () => {
      stopped = true;
      timer?.cancel();
      child?.kill();
    },
  };
}
