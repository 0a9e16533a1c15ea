// Watches links and addresses by the program `ip monitor`, for hosts whose kernel grants no large
// receive buffer (net.core.rmem_max): a burst would overflow it, and the netlink package then
// aborts the whole process. Given the program. It only says that something changed.

import { type ChildProcess, spawn } from "node:child_process";
import type { Clock, Logger, Timer } from "@fairlead/runtime";

import { LINK_GROUP, listensTo } from "../netlink-groups.ts";

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
/** The program says nothing when it has begun to watch: it is looked for so often, in ms. */
const LOOK_MS = 50;
/** What is not seen to watch by then is looked for no more, in ms: it may do so unseen. */
const WATCHING_MS_MAX = 10_000;

/** Watches until disposed. */
export function watchByProgram(options: IpMonitorOptions): Disposable {
  const { clock, logger, onChange } = options;
  let child: ChildProcess | undefined;
  let timer: Timer | undefined;
  let look: Timer | undefined;
  let stopped = false;

  function start(): void {
    child = spawn(options.ipProgram, ["-o", "monitor", "link", "address"], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    child.stdout?.on("data", onChange);
    child.once("error", again);
    child.once("exit", again);
    awaitWatching(child.pid, clock.nowMs() + WATCHING_MS_MAX);
  }

  function awaitWatching(pid: number | undefined, untilMs: number): void {
    look = clock.setTimer(LOOK_MS, () => {
      const isHere = pid !== undefined && listensTo(LINK_GROUP, pid);
      if (!isHere && clock.nowMs() < untilMs) return awaitWatching(pid, untilMs);
      // What changed while nobody watched is unknown.
      onChange();
    });
  }

  function again(): void {
    look?.cancel();
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
      look?.cancel();
      child?.kill();
    },
  };
}
