// The supervisors of a load-balancer host's daemons as its process table shows them, for stories
// that kill them. Given the host.

import { readFileSync } from "node:fs";

import type { Host } from "@fairlead/lab";

/** What of s6 lives on a host. */
export interface Supervisors {
  /** Of the process that starts supervisors. */
  readonly scanners: readonly number[];
  /** Of the supervisor of each daemon, by the daemon's name. */
  readonly services: ReadonlyMap<string, number>;
  /** All of it, those that write logs too. */
  readonly all: readonly number[];
  /** Daemons, by process id, whose parent is no supervisor of theirs. */
  readonly orphans: readonly string[];
}

/** A process that runs. */
interface Running {
  readonly pid: number;
  readonly name: string;
  readonly parent: number;
  readonly args: readonly string[];
}

/** A daemon's first process is its supervisor's child, and each other one is a child of that. */
export function supervisorsOf(host: Host): Supervisors {
  const running = host.pids().flatMap((pid) => runningAs(host, pid) ?? []);
  const s6 = running.filter(({ name }) => name.startsWith("s6-"));
  const supervising = s6.filter(({ name, args }) => name === "s6-supervise" && args.length === 2);
  const services = new Map(
    supervising.flatMap(({ pid, args: [, service = ""] }) =>
      service.endsWith("/log") ? [] : [[service, pid] as const],
    ),
  );
  const daemons = running.filter(({ name }) => name === "nginx" || name === "keepalived");
  const looked = new Set([...services.values(), ...daemons.map(({ pid }) => pid)]);
  return {
    scanners: s6.filter(({ name }) => name === "s6-svscan").map(({ pid }) => pid),
    services,
    all: s6.map(({ pid }) => pid),
    orphans: daemons
      .filter(({ parent }) => !looked.has(parent))
      .map(({ pid, name }) => `${name} ${pid}`),
  };
}

/** Undefined of one that has ended, its parent not having looked yet. */
function runningAs(host: Host, pid: number): Running | undefined {
  try {
    const stat = readFileSync(host.outsidePath(`/proc/${pid}/stat`), "utf8");
    const [, name = "", state = "Z", parent] = /^\d+ \((.*)\) (\S) (\d+)/.exec(stat) ?? [];
    const args = readFileSync(host.outsidePath(`/proc/${pid}/cmdline`), "utf8").split("\0");
    if (state === "Z") return undefined;
    return { pid, name, parent: Number(parent), args: args.slice(0, -1) };
  } catch {
    return undefined;
  }
}
