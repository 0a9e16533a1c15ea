// The daemons of a load-balancer host as its process table shows them, for stories that kill,
// freeze and starve them. Given the host. It waits by looking, and says at last what it saw.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";

import { type Host, monotonicMs } from "@fairlead/lab";

/** The run directory of every agent. */
export const RUN_DIR = "/run/fairlead";
/** nginx is back within about a second; a busy machine may take longer. */
export const BACK_MS_MAX = 6_000;

/** Process ids of the daemons. */
export interface Daemons {
  /** The master and its workers. */
  readonly nginx: readonly number[];
  /** The first process and its VRRP child. */
  readonly keepalived: readonly number[];
}

/** Process ids of the daemons, as the host sees them; zombies are gone. */
export function daemonsOf(host: Host): Daemons {
  const running = host.pids().flatMap((pid) => {
    const stat = readOrNothing(host.outsidePath(`/proc/${pid}/stat`));
    const [, name = "", state = "Z"] = /^\d+ \((.*)\) (\S)/.exec(stat) ?? [];
    return state === "Z" ? [] : [{ pid, name }];
  });
  const named = (name: string): readonly number[] =>
    running.filter((one) => one.name === name).map(({ pid }) => pid);
  return { nginx: named("nginx"), keepalived: named("keepalived") };
}

/** The process that a file below the run directory names; 0 while there is none. */
export function pidOf(host: Host, file: string): number {
  return Number(readOrNothing(host.outsidePath(`${RUN_DIR}/${file}`)).trim());
}

/** The words of a process, each ended by a zero byte; empty when it has ended. */
export function commandOf(host: Host, pid: number): string {
  return readOrNothing(host.outsidePath(`/proc/${pid}/cmdline`));
}

/** What is said to keepalived of the data path: 1 while it is down. */
export function dataPathOf(host: Host): string {
  return readOrNothing(host.outsidePath(`${RUN_DIR}/keepalived/track/data-path`)).trim();
}

/** Waits until it is so on the host. */
export async function untilHost(host: Host, what: string, isSo: () => boolean): Promise<void> {
  const endMs = monotonicMs() + BACK_MS_MAX;
  while (!isSo()) {
    if (monotonicMs() >= endMs) {
      assert.fail(
        `${host.name}: not so after ${BACK_MS_MAX} ms: ${what}; ${JSON.stringify(daemonsOf(host))}`,
      );
    }
    await wait(20);
  }
}

/** The text of a file; empty where there is none, or its process has ended. */
export function readOrNothing(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
