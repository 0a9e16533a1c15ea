// keepalived itself under s6 in a sandbox, for tests of its adapter: alone on its segment, it takes
// its lanes at once. What is held is read from the kernel. For tests alone.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";

import { type Clock, createLogger, createSystemClock } from "@fairlead/runtime";

import { dataPlaneLayout } from "./data-plane-layout.ts";
import { ip } from "./data-plane-stage.ts";
import { createNetlinkKernel } from "./netlink/kernel.ts";
import type { KeepalivedDaemon, Kernel } from "./ports.ts";
import { createS6Supervisor, type S6Supervisor } from "./supervise/s6.ts";
import type { SupervisedService } from "./supervised.ts";
import { createKeepalivedDaemon } from "./keepalived/keepalived-daemon.ts";

/** The clock of all of it. */
export const clock: Clock = createSystemClock();
const logger = createLogger({ level: "silent", format: "json" });

/** keepalived's own checker sets groups, which a normal user's namespace forbids. */
const mayCheck = readFileSync("/proc/self/setgroups", "utf8").trim() === "allow";

/** A keepalived with its adapter; disposing ends it. */
export interface Stage extends AsyncDisposable {
  readonly keepalived: KeepalivedDaemon;
  readonly supervisor: S6Supervisor;
  readonly layout: ReturnType<typeof dataPlaneLayout>;
  /** Another life of the agent, which sees keepalived's supervisor like this. */
  nextLife(service: SupervisedService): KeepalivedDaemon;
  /** Those of 192.0.2.100 to .199 that are in the kernel. */
  held(): Promise<readonly number[]>;
  /** Waits until exactly these of 192.0.2.100 to .199 are in the kernel. */
  holds(...hosts: readonly number[]): Promise<void>;
}

/** keepalived as the checker, with a line in a file for each time it is called. */
async function countedProgram({ runDir }: Stage["layout"]): Promise<string> {
  const path = `${runDir}/counted-keepalived`;
  const lines = ["#!/bin/sh", `echo >>${runDir}/checks`, 'exec /usr/sbin/keepalived "$@"', ""];
  await writeFile(path, lines.join("\n"), { mode: 0o700 });
  return path;
}

/** How often the checker was called. */
export function checksOf({ runDir }: Stage["layout"]): number {
  return readFileSync(`${runDir}/checks`, "utf8").length;
}

async function heldBy(kernel: Kernel): Promise<readonly number[]> {
  const { addresses } = await kernel.view();
  return addresses
    .map((entry) => Number(/^192\.0\.2\.(1\d\d)$/.exec(entry.address)?.[1]))
    .filter((host) => !Number.isNaN(host))
    .sort((a, b) => a - b);
}

/** The link of the tests, with an address on it. */
export async function makeLink(): Promise<void> {
  await ip("link", "add", "eth0", "type", "veth", "peer", "name", "peer0");
  await ip("link", "set", "eth0", "up");
  await ip("link", "set", "peer0", "up");
  await ip("address", "add", "192.0.2.11/24", "dev", "eth0");
}

/** A keepalived below `/run` that was never started. */
export async function stage(name: string): Promise<Stage> {
  const layout = dataPlaneLayout(`/run/${name}`);
  await mkdir(layout.runDir);
  const supervisor = createS6Supervisor({
    layout,
    clock,
    logger,
    programs: {
      nginx: "/usr/sbin/nginx",
      keepalived: "/usr/sbin/keepalived",
      ip: "/usr/sbin/ip",
      s6Svscan: "/usr/bin/s6-svscan",
    },
  });
  await supervisor.ensure();
  const kernel = await createNetlinkKernel({ clock, logger, ipProgram: "/usr/sbin/ip" });
  const program = await countedProgram(layout);
  const nextLife: Stage["nextLife"] = (service) =>
    createKeepalivedDaemon({ layout, service, kernel, program, clock });
  return {
    keepalived: nextLife(supervisor.keepalived),
    nextLife,
    supervisor,
    layout,
    held: () => heldBy(kernel),
    holds: async (...hosts) => {
      const endMs = clock.nowMs() + 10_000;
      for (;;) {
        const held = await heldBy(kernel);
        if (held.join() === hosts.join()) return;
        if (clock.nowMs() > endMs) assert.deepEqual(held, hosts);
      }
    },
    [Symbol.asyncDispose]: async () => {
      await supervisor.end();
      assert.deepEqual(await heldBy(kernel), []);
      await kernel[Symbol.asyncDispose]();
    },
  };
}

/** Lanes by router id with the last numbers of their VIPs. */
export function config(lanes: Readonly<Record<number, readonly number[]>>): string {
  const instances = Object.entries(lanes).map(
    ([id, vips]) => `vrrp_instance lane-${id} {
  state BACKUP
  interface eth0
  virtual_router_id ${id}
  priority 250
  nopreempt
  advert_int 0.1
  unicast_src_ip 192.0.2.11
  unicast_peer {
    192.0.2.12
  }
  virtual_ipaddress {
    169.254.255.${id}/32 dev eth0 scope link
  }
  virtual_ipaddress_excluded {
${vips.map((host) => `    192.0.2.${host}/32 dev eth0`).join("\n")}
  }
}
`,
  );
  return `global_defs {
  router_id fairlead
  ${mayCheck ? "reload_check_config" : ""}
  dynamic_interfaces
  vrrp_version 3
  vrrp_higher_prio_send_advert true
}
${instances.join("\n")}`;
}
