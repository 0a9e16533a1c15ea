// The workers of a master of nginx, as /proc shows them, and their end. Given the master's process
// id. It ends nobody but a worker that was seen to be ending, and looks again before it does.

import type { Clock } from "@fairlead/runtime";

import { readNow } from "../read-or-nothing.ts";
import type { Worker } from "./generations.ts";

/** Workers that came or went lately are about to say that they end, in ms. */
const UNSETTLED_MS = 3000;
/** Else only how much memory they have changes, and is as old as this at most, in ms. */
const KEPT_MS = 5000;

/** The living workers of a master; none when it is gone, or lives in another PID namespace. */
export function readWorkers(masterPid: number): readonly Worker[] {
  return workersOf(readChildren(masterPid));
}

/**
 * Makes what reads workers again and again. A host is looked at every second, and reloads are
 * seldom: while the same ones live, what is read of each is some seconds old.
 */
export function createWorkerLook(
  clock: Pick<Clock, "nowMs">,
): (masterPid: number) => readonly Worker[] {
  let last = { masterPid: 0, children: "", changedMs: 0, readMs: 0 };
  let workers: readonly Worker[] = [];
  return (masterPid) => {
    const children = readChildren(masterPid);
    const nowMs = clock.nowMs();
    const isSame = masterPid === last.masterPid && children === last.children;
    const changedMs = isSame ? last.changedMs : nowMs;
    const isSettled = nowMs - changedMs >= UNSETTLED_MS;
    if (isSettled && nowMs - last.readMs < KEPT_MS) return workers;
    last = { masterPid, children, changedMs, readMs: nowMs };
    workers = workersOf(children);
    return workers;
  };
}

function readChildren(masterPid: number): string {
  return readNow(`/proc/${masterPid}/task/${masterPid}/children`);
}

function workersOf(children: string): readonly Worker[] {
  const pids = children.split(" ").filter((word) => /^[0-9]+$/.test(word));
  return pids.map(readWorker).filter((worker) => worker !== undefined);
}

/** Process ids of those that take new connections. */
export function servingWorkers(masterPid: number): readonly number[] {
  const serving = readWorkers(masterPid).filter((worker) => !worker.ending);
  return serving.map((worker) => worker.pid);
}

/** The time that start times of processes are compared with: clock ticks since boot. */
export function nowTicks(): number {
  const [seconds = "0"] = readNow("/proc/uptime").split(" ");
  return Math.round(Number(seconds) * 100);
}

/** Ends workers at once, with the connections that they have left. */
export function endWorkers(workers: readonly Worker[]): void {
  for (const worker of workers) {
    const now = readWorker(String(worker.pid));
    if (now?.startTicks !== worker.startTicks || !now.ending) continue;
    try {
      // nginx's fast shutdown; its master starts no other in the place of one that ends.
      process.kill(worker.pid, "SIGTERM");
    } catch {
      // It ended between the look and the signal.
    }
  }
}

function readWorker(pid: string): Worker | undefined {
  const title = readNow(`/proc/${pid}/cmdline`);
  if (!title.startsWith("nginx: worker process")) return undefined;
  const [stat, status] = [readNow(`/proc/${pid}/stat`), readNow(`/proc/${pid}/status`)];
  // The name in brackets may hold anything; what follows it starts with field 3, and the start
  // time is field 22 (proc(5)).
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  if (fields[0] === "Z" || fields[0] === "X") return undefined;
  return {
    pid: Number(pid),
    startTicks: Number(fields[19]),
    ending: title.includes("shutting down"),
    memoryBytes: 1024 * Number(/^RssAnon:\s+([0-9]+) kB$/m.exec(status)?.[1] ?? 0),
  };
}
