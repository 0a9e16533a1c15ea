// A data plane of its own for tests of liveness: keepalived and nginx under s6 in a sandbox, and
// how they are killed there. Given a sandbox with a device eth0.

import assert from "node:assert/strict";
import { mkdir, readFile, readdir } from "node:fs/promises";

import { createLogger, createSystemClock, runProgram } from "@fairlead/runtime";

import { NOTHING_APPLIED } from "./applied.ts";
import { dataPlaneLayout, type NginxLayout } from "./data-plane-layout.ts";
import { createKeepalivedDaemon } from "./keepalived/keepalived-daemon.ts";
import { createNginxDaemon } from "./nginx/nginx-daemon.ts";
import type { AcceptedPlan, NginxDaemon } from "./ports.ts";
import { createS6Supervisor, type S6Supervisor } from "./supervise/s6.ts";
import { createLiveness } from "./liveness/liveness.ts";
import { createTrackFiles } from "./liveness/track-files.ts";

const clock = createSystemClock();
const logger = createLogger({ level: "silent", format: "json" });
const IP = "/usr/sbin/ip";
const VIP = "192.0.2.100";

/** Runs ip, which has to succeed; what it printed. */
export async function ip(...args: readonly string[]): Promise<string> {
  const options = { command: IP, timeoutMs: 5000, maxOutputBytes: 65_536 };
  const result = await runProgram({ ...options, args });
  assert.equal(result.code, 0, result.stderr);
  return result.stdout;
}

/** Whether the kernel has the VIP. */
export async function isHeld(): Promise<boolean> {
  return (await ip("-4", "address", "show", "dev", "eth0")).includes(` ${VIP}/`);
}

/** How fast it is, judges the history of holders in stories of several hosts. */
export async function until(isSo: () => Promise<boolean>, what: string): Promise<void> {
  const beganMs = clock.nowMs();
  while (!(await isSo())) {
    assert.ok(clock.nowMs() - beganMs < 10_000, `not so after 10 s: ${what}`);
  }
}

/**
 * By the names that the kernel shows. All are stopped before the first is killed: a keepalived
 * whose parent dies would clean up else.
 */
export async function killAll(name: RegExp): Promise<void> {
  await signalAll(name, "SIGSTOP");
  while (await signalAll(name, "SIGKILL")) {}
}

/** Whether there was anybody who could be told. */
async function signalAll(name: RegExp, signal: NodeJS.Signals): Promise<boolean> {
  let isLeft = false;
  for (const pid of (await readdir("/proc")).filter((word) => /^[0-9]+$/.test(word))) {
    const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
    const [, command = "", state = ""] = /^\d+ \((.*)\) (\S)/.exec(stat) ?? [];
    if (!name.test(command) || state === "Z") continue;
    isLeft = true;
    try {
      process.kill(Number(pid), signal);
    } catch {
      // It ended with its parent, or with its pipe.
    }
  }
  return isLeft;
}

/** The process that a file names. */
export async function pidIn(path: string): Promise<number> {
  return Number((await readFile(path, "utf8")).trim());
}

/** A data plane under its own supervisor, which holds a VIP. */
export interface Stage extends AsyncDisposable {
  readonly layout: ReturnType<typeof dataPlaneLayout>;
  readonly nginx: NginxDaemon;
  readonly nginxUdp: NginxDaemon;
  readonly supervisor: S6Supervisor;
  /** Looks as an agent does, until it is disposed; `nginxUdp` answers in place of the real one. */
  watch(wanted?: AcceptedPlan, nginxUdp?: Pick<NginxDaemon, "generation">): AsyncDisposable;
  /** What is said to the lanes: 0 or 1. */
  said(): Promise<string>;
  saidOfUdp(): Promise<string>;
}

/** What every nginx here answers with. */
export const GENERATION: string = "0123456789abcdef";

/** Starts it, and waits until it holds the VIP. Ended by disposing. */
export async function stage(name: string): Promise<Stage> {
  const layout = dataPlaneLayout(`/run/${name}`);
  await mkdir(layout.runDir);
  const programs = {
    nginx: "/usr/sbin/nginx",
    keepalived: "/usr/sbin/keepalived",
    ip: IP,
    s6Svscan: "/usr/bin/s6-svscan",
  };
  const supervisor = createS6Supervisor({ layout, clock, logger, programs });
  await supervisor.ensure();
  const daemon = (place: "nginx" | "nginxUdp"): NginxDaemon =>
    createNginxDaemon({
      layout: layout[place],
      generationsMax: 8,
      clock,
      logger,
      service: supervisor[place],
      program: programs.nginx,
    });
  const nginx = daemon("nginx");
  const nginxUdp = daemon("nginxUdp");
  const keepalived = createKeepalivedDaemon({
    layout,
    clock,
    service: supervisor.keepalived,
    kernel: { view: () => Promise.resolve({ links: [], addresses: [] }) },
    program: programs.keepalived,
  });
  await nginx.apply(nginxText(layout.nginx), GENERATION);
  await keepalived.apply(keepalivedText(layout), 1);
  await until(isHeld, "the VIP is held");
  const applied = { ...NOTHING_APPLIED, generation: GENERATION, udpGeneration: GENERATION };
  const wordIn = async (file: string): Promise<string> => (await readFile(file, "utf8")).trim();
  return {
    layout,
    nginx,
    nginxUdp,
    supervisor,
    watch: (wanted, udp = nginxUdp) =>
      createLiveness({
        layout,
        clock,
        log: logger,
        nginx,
        nginxUdp: udp,
        files: createTrackFiles(layout),
        view: () => ({ wanted, applied, look: undefined }),
      }),
    said: () => wordIn(layout.keepalived.dataPath),
    saidOfUdp: () => wordIn(layout.keepalived.dataPathUdp),
    [Symbol.asyncDispose]: () => supervisor.end(),
  };
}

/** A file for one of the two. */
export function nginxText(layout: NginxLayout): string {
  return `load_module /usr/lib/nginx/modules/ngx_stream_module.so;
daemon off;
pid ${layout.pid};
error_log stderr warn;
user root;
worker_processes 1;
events { worker_connections 64; }
stream {
  server { listen unix:${layout.probeSocket(GENERATION)}; return ${GENERATION}; }
}
`;
}

function keepalivedText(layout: Stage["layout"]): string {
  return `global_defs {
  router_id fairlead
  dynamic_interfaces
  vrrp_version 3
}
track_file data-path {
  file "${layout.keepalived.dataPath}"
  weight 0
  init_file 0
}
track_file data-path-udp {
  file "${layout.keepalived.dataPathUdp}"
  weight 0
  init_file 0
}
vrrp_instance lane {
  state BACKUP
  interface eth0
  virtual_router_id 51
  priority 250
  nopreempt
  advert_int 0.1
  unicast_src_ip 192.0.2.11
  unicast_peer {
    192.0.2.12
  }
  track_file {
    data-path weight 0
    data-path-udp weight 0
  }
  virtual_ipaddress {
    169.254.255.51/32 dev eth0 scope link
  }
  virtual_ipaddress_excluded {
    ${VIP}/32 dev eth0
  }
}
`;
}
