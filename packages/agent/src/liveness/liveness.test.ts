// keepalived and nginx under s6 in a sandbox, alone on a segment, killed and frozen in every way:
// what the kernel has, and what is said to lanes with a successor. With and without an agent.

import assert from "node:assert/strict";
import { mkdir, readFile, readdir } from "node:fs/promises";
import { test } from "node:test";

import { createLogger, createSystemClock, runProgram } from "@fairlead/runtime";
import { acceptedPlan, inSandbox, laneOf } from "@fairlead/testkit";

import { NOTHING_APPLIED } from "../applied.ts";
import { dataPlaneLayout, type NginxLayout } from "../data-plane-layout.ts";
import { createKeepalivedDaemon } from "../keepalived/keepalived-daemon.ts";
import { createNginxDaemon } from "../nginx/nginx-daemon.ts";
import { readWorkers } from "../nginx/workers.ts";
import type { AcceptedPlan, NginxDaemon } from "../ports.ts";
import { createS6Supervisor, type S6Supervisor } from "../supervise/s6.ts";
import { createLiveness } from "./liveness.ts";
import { createTrackFiles } from "./track-files.ts";

const clock = createSystemClock();
const logger = createLogger({ level: "silent", format: "json" });
const IP = "/usr/sbin/ip";
const VIP = "192.0.2.100";
async function ip(...args: readonly string[]): Promise<string> {
  const options = { command: IP, timeoutMs: 5000, maxOutputBytes: 65_536 };
  const result = await runProgram({ ...options, args });
  assert.equal(result.code, 0, result.stderr);
  return result.stdout;
}

async function isHeld(): Promise<boolean> {
  return (await ip("-4", "address", "show", "dev", "eth0")).includes(` ${VIP}/`);
}

/** How fast it is, judges the history of holders in stories of several hosts. */
async function until(isSo: () => Promise<boolean>, what: string): Promise<void> {
  const beganMs = clock.nowMs();
  while (!(await isSo())) {
    assert.ok(clock.nowMs() - beganMs < 10_000, `not so after 10 s: ${what}`);
  }
}

/**
 * By the names that the kernel shows. All are stopped before the first is killed: a keepalived
 * whose parent dies would clean up else.
 */
async function killAll(name: RegExp): Promise<void> {
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

async function pidIn(path: string): Promise<number> {
  return Number((await readFile(path, "utf8")).trim());
}

interface Stage extends AsyncDisposable {
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

const GENERATION = "0123456789abcdef";

async function stage(name: string): Promise<Stage> {
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
        view: () => ({ wanted, applied }),
      }),
    said: () => wordIn(layout.keepalived.dataPath),
    saidOfUdp: () => wordIn(layout.keepalived.dataPathUdp),
    [Symbol.asyncDispose]: () => supervisor.end(),
  };
}

function nginxText(layout: NginxLayout): string {
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

interface Kill {
  readonly name: string;
  readonly signal: "SIGKILL" | "SIGSTOP";
  readonly parent: boolean;
  readonly child: boolean;
}

const kills: readonly Kill[] = [
  { name: "its first process is killed", signal: "SIGKILL", parent: true, child: false },
  { name: "its child is killed", signal: "SIGKILL", parent: false, child: true },
  { name: "both are killed", signal: "SIGKILL", parent: true, child: true },
  { name: "its child is frozen", signal: "SIGSTOP", parent: false, child: true },
  { name: "its first process is frozen", signal: "SIGSTOP", parent: true, child: false },
  { name: "both are frozen", signal: "SIGSTOP", parent: true, child: true },
];

inSandbox({ file: import.meta.url, name: "liveness" }, () => {
  test("nginx dies without an agent: lanes leave, and come back when it serves", async () => {
    await ip("link", "add", "eth0", "type", "veth", "peer", "name", "peer0");
    await ip("link", "set", "eth0", "up");
    await ip("link", "set", "peer0", "up");
    await ip("address", "add", "192.0.2.11/24", "dev", "eth0");
    await using s = await stage("nginx-alone");
    assert.equal(await s.said(), "0");
    process.kill(await pidIn(s.layout.nginx.pid), "SIGKILL");
    await until(async () => !(await isHeld()), "the VIP left");
    assert.equal(await s.said(), "1");
    await until(isHeld, "the VIP is back");
    assert.notEqual(await s.nginx.generation(), undefined, "nginx serves before it is back");
  });

  test("keepalived killed and frozen in every way: swept, no orphan, and back", async () => {
    await using s = await stage("keepalived");
    await using _ = s.watch();
    const { pid, vrrpPid } = s.layout.keepalived;
    for (const { name, signal, parent, child } of kills) {
      const [before, beforeChild] = [await pidIn(pid), await pidIn(vrrpPid)];
      if (parent) process.kill(before, signal);
      if (child) process.kill(beforeChild, signal);
      await until(async () => !(await isHeld()), `the VIP left: ${name}`);
      await until(isHeld, `the VIP is back: ${name}`);
      assert.notEqual(await pidIn(pid), before, name);
      assert.throws(() => process.kill(beforeChild, 0), `${name}: no orphan`);
    }
  });

  test("everything is killed at once: the first who comes back sweeps", async () => {
    await using s = await stage("all");
    await killAll(/^(?:s6-svscan|s6-supervise|s6-log|nginx|keepalived)$/);
    assert.equal(await isHeld(), true, "nobody is left who could sweep");
    await s.supervisor.ensure();
    assert.equal(await isHeld(), false, "before anything is started anew");
  });

  test("nginx is frozen: lanes leave, it is ended, and they come back", async () => {
    await using s = await stage("frozen");
    await using _ = s.watch();
    const master = await pidIn(s.layout.nginx.pid);
    const [worker] = readWorkers(master);
    assert.ok(worker !== undefined);
    process.kill(worker.pid, "SIGSTOP");
    await until(async () => !(await isHeld()), "the VIP left");
    await until(isHeld, "the VIP is back");
    assert.notEqual(await pidIn(s.layout.nginx.pid), master);
  });

  test("the nginx for UDP dies: lanes leave; full of clients or ended for good it takes none", async () => {
    await using s = await stage("udp");
    const { nginxUdp: place } = s.layout;
    await s.nginxUdp.apply(nginxText(place), GENERATION);
    process.kill(await pidIn(place.pid), "SIGKILL");
    await until(async () => !(await isHeld()), "the VIP left");
    assert.equal(await s.saidOfUdp(), "1");
    assert.equal(await s.said(), "0", "of the one for TCP nothing is said");
    await until(isHeld, "the VIP is back");

    // The supervisor does not see that a worker is frozen.
    await using looks = new AsyncDisposableStack();
    looks.use(s.watch());
    const master = await pidIn(place.pid);
    const [worker] = readWorkers(master);
    assert.ok(worker !== undefined);
    process.kill(worker.pid, "SIGSTOP");
    await until(async () => !(await isHeld()), "the VIP left again");
    await until(isHeld, "the VIP is back again");
    assert.notEqual(await pidIn(place.pid), master);
    await looks.disposeAsync();

    let asked = 0;
    const isFull = { generation: () => Promise.resolve(void (asked += 1)) };
    await using full = new AsyncDisposableStack();
    full.use(s.watch(undefined, isFull));
    await until(
      async () => (await isHeld()) && asked >= 10,
      "it was asked in vain for two seconds",
    );
    await full.disposeAsync();
    assert.equal(await s.saidOfUdp(), "0", "its worker lives: it has no room");

    await using _ = s.watch();
    await s.nginxUdp.end();
    assert.equal(await s.saidOfUdp(), "0", "there is nothing left that it could serve");
    assert.equal(await isHeld(), true);
  });

  test("a wish of the plan stands in the lane's file, and goes with it", async () => {
    await using s = await stage("wish");
    const lane = laneOf({ routerId: 60, order: ["a=192.0.2.11", "b=192.0.2.12"] });
    const file = `${s.layout.keepalived.trackDir}/lane-192.0.2.0-24-60`;
    const reads = async (value: string): Promise<boolean> =>
      (await readFile(file, "utf8").catch(() => "")).trim() === value;
    await using plans = new AsyncDisposableStack();
    plans.use(s.watch(acceptedPlan("a", [{ ...lane, yields: true }])));
    await until(() => reads("1"), "the wish is written");
    await plans.disposeAsync();
    await using _ = s.watch(acceptedPlan("a", [lane]));
    await until(() => reads("0"), "it is taken back");
  });
});
