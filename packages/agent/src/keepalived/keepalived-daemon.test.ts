// keepalived itself under s6 in a sandbox, alone on its segment: it takes its lanes at once. What
// is held is read from the kernel.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { test } from "node:test";
import { createLogger, createSystemClock, runProgram } from "@fairlead/runtime";
import { inSandbox } from "@fairlead/testkit";
import { dataPlaneLayout } from "../data-plane-layout.ts";
import { createNetlinkKernel } from "../netlink/kernel.ts";
import type { KeepalivedDaemon, Kernel } from "../ports.ts";
import { createS6Supervisor, type S6Supervisor } from "../supervise/s6.ts";
import { createKeepalivedDaemon } from "./keepalived-daemon.ts";

const clock = createSystemClock();
const logger = createLogger({ level: "silent", format: "json" });

/** keepalived's own checker sets groups, which a normal user's namespace forbids. */
const mayCheck = readFileSync("/proc/self/setgroups", "utf8").trim() === "allow";

interface Stage extends AsyncDisposable {
  readonly keepalived: KeepalivedDaemon;
  readonly supervisor: S6Supervisor;
  readonly layout: ReturnType<typeof dataPlaneLayout>;
  /** Waits until exactly these of 192.0.2.100 to .199 are in the kernel. */
  holds(...hosts: readonly number[]): Promise<void>;
}

async function ip(...args: readonly string[]): Promise<void> {
  const options = { command: "/usr/sbin/ip", timeoutMs: 5000, maxOutputBytes: 4096 };
  const result = await runProgram({ ...options, args });
  assert.equal(result.code, 0, result.stderr);
}

/** keepalived as the checker, with a line in a file for each time it is called. */
async function countedProgram({ runDir }: Stage["layout"]): Promise<string> {
  const path = `${runDir}/counted-keepalived`;
  const lines = ["#!/bin/sh", `echo >>${runDir}/checks`, 'exec /usr/sbin/keepalived "$@"', ""];
  await writeFile(path, lines.join("\n"), { mode: 0o700 });
  return path;
}

function checksOf({ runDir }: Stage["layout"]): number {
  return readFileSync(`${runDir}/checks`, "utf8").length;
}

async function heldBy(kernel: Kernel): Promise<readonly number[]> {
  const { addresses } = await kernel.view();
  return addresses
    .map((entry) => Number(/^192\.0\.2\.(1\d\d)$/.exec(entry.address)?.[1]))
    .filter((host) => !Number.isNaN(host))
    .sort((a, b) => a - b);
}

async function stage(name: string): Promise<Stage> {
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
  const keepalived = createKeepalivedDaemon({
    layout,
    service: supervisor.keepalived,
    kernel,
    program: await countedProgram(layout),
    clock,
  });
  return {
    keepalived,
    supervisor,
    layout,
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
function config(lanes: Readonly<Record<number, readonly number[]>>): string {
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

async function pidOf(file: string): Promise<number> {
  return Number((await readFile(file, "utf8")).trim());
}

inSandbox({ file: import.meta.url, name: "keepalived" }, () => {
  test("first start, one more VIP by reload, nothing for the same text, a graceful end", async () => {
    await ip("link", "add", "eth0", "type", "veth", "peer", "name", "peer0");
    await ip("link", "set", "eth0", "up");
    await ip("link", "set", "peer0", "up");
    await ip("address", "add", "192.0.2.11/24", "dev", "eth0");
    await using s = await stage("first");
    assert.equal(await s.keepalived.alive(), false);
    const first = config({ 51: [100, 101] });
    assert.deepEqual(await s.keepalived.apply(first, 2), { kind: "applied", reloaded: true });
    await s.holds(100, 101);
    const { pid } = await s.supervisor.keepalived.state();
    const second = config({ 51: [100, 101, 102] });
    assert.deepEqual(await s.keepalived.apply(second, 3), { kind: "applied", reloaded: true });
    await s.holds(100, 101, 102);
    assert.deepEqual(await s.keepalived.apply(second, 3), { kind: "applied", reloaded: false });
    assert.equal((await s.supervisor.keepalived.state()).pid, pid);
    await s.keepalived.stop();
    await s.holds();
    assert.equal(await s.keepalived.alive(), false);
  });

  test("what a stopped keepalived had, and the host's owner added since, stays", async () => {
    await using s = await stage("stopped");
    await s.keepalived.apply(config({ 51: [100] }), 1);
    await s.holds(100);
    await s.keepalived.stop();
    await s.holds();
    await ip("address", "add", "192.0.2.100/32", "dev", "eth0");
    await s.keepalived.apply(config({ 52: [101] }), 1);
    await s.holds(100, 101);
    await ip("address", "del", "192.0.2.100/32", "dev", "eth0");
  });

  test("a broken file is refused in keepalived's words, and nothing moves", async () => {
    await using s = await stage("broken");
    const good = config({ 51: [100] });
    await s.keepalived.apply(good, 1);
    await s.holds(100);
    const outcome = await s.keepalived.apply(`${good}\nbadword x\n`, 1);
    assert.equal(outcome.kind, "refused");
    assert.equal(outcome.remark.reason, "ConfigRefused");
    assert.match(
      outcome.remark.detail,
      /^keepalived: keepalived\.conf:\d+: Unknown keyword 'badword'$/,
    );
    await s.holds(100);
    assert.equal(await readFile(s.layout.keepalived.config, "utf8"), good);
  });

  test("what was expected is checked once, and no check stands for another file's", async () => {
    await using s = await stage("expected");
    const [good, more] = [config({ 51: [100] }), config({ 51: [100, 101] })];
    const bad = `${good}\nbadword x\n`;
    await s.keepalived.apply(good, 1);
    await s.holds(100);
    s.keepalived.expect?.(bad);
    assert.deepEqual(await s.keepalived.apply(more, 2), { kind: "applied", reloaded: true });
    s.keepalived.expect?.(good);
    assert.equal((await s.keepalived.apply(bad, 1)).kind, "refused");
    s.keepalived.expect?.(bad);
    assert.equal((await s.keepalived.apply(bad, 1)).kind, "refused");
    await s.holds(100, 101);
    assert.equal(await readFile(s.layout.keepalived.config, "utf8"), more);
    const checks = checksOf(s.layout);
    s.keepalived.expect?.(good);
    assert.deepEqual(await s.keepalived.apply(good, 1), { kind: "applied", reloaded: true });
    assert.equal(checksOf(s.layout), checks + 1);
    await s.holds(100);
  });

  test("an empty file never reaches a keepalived that holds addresses", async () => {
    await using s = await stage("empty");
    await s.keepalived.apply(config({ 51: [100] }), 1);
    await s.holds(100);
    assert.equal((await s.keepalived.apply("", 1)).kind, "refused");
    await s.holds(100);
    // The plan really is empty: then it is what is wanted.
    assert.deepEqual(await s.keepalived.apply(config({}), 0), { kind: "applied", reloaded: true });
    await s.holds();
    assert.equal(await s.keepalived.alive(), true);
    await s.keepalived.apply(config({ 51: [100] }), 1);
    await s.holds(100);
  });

  test("an empty plan at the start runs, and lanes come later", async () => {
    await using s = await stage("nothing");
    assert.deepEqual(await s.keepalived.apply(config({}), 0), { kind: "applied", reloaded: true });
    assert.deepEqual(await s.keepalived.apply(config({ 51: [100] }), 1), {
      kind: "applied",
      reloaded: true,
    });
    await s.holds(100);
  });

  test("VIPs that swap lanes in one plan are all held after it", async () => {
    await using s = await stage("swap");
    await s.keepalived.apply(config({ 51: [100, 102], 52: [101] }), 3);
    await s.holds(100, 101, 102);
    const outcome = await s.keepalived.apply(config({ 51: [101, 102], 52: [100] }), 3);
    assert.deepEqual(outcome, { kind: "applied", reloaded: true });
    await s.holds(100, 101, 102);
  });

  test("an agent killed between swap and signal: VIPs that change lanes are held", async () => {
    await using s = await stage("between");
    await s.keepalived.apply(config({ 51: [100, 102], 52: [101] }), 3);
    await s.holds(100, 101, 102);
    const swapped = config({ 51: [101, 102], 52: [100] });
    await writeFile(s.layout.keepalived.config, swapped);
    const outcome = await s.keepalived.apply(swapped, 3);
    assert.deepEqual(outcome, { kind: "applied", reloaded: true });
    await s.holds(100, 101, 102);
    assert.equal(await readFile(s.layout.keepalived.taken, "utf8"), swapped);
  });

  test("a whole keepalived killed: its addresses are swept, and it is back by itself", async () => {
    await using s = await stage("killed");
    await s.keepalived.apply(config({ 51: [100, 101] }), 2);
    await s.holds(100, 101);
    const parent = await pidOf(s.layout.keepalived.pid);
    const child = await pidOf(s.layout.keepalived.vrrpPid);
    process.kill(child, "SIGSTOP");
    process.kill(parent, "SIGKILL");
    process.kill(child, "SIGKILL");
    await s.holds();
    await s.holds(100, 101);
    assert.equal(await s.keepalived.alive(), true);
    assert.notEqual(await pidOf(s.layout.keepalived.pid), parent);
    assert.deepEqual(await s.keepalived.apply(config({ 51: [100] }), 1), {
      kind: "applied",
      reloaded: true,
    });
    await s.holds(100);
  });

  test("another life of the agent finds the same keepalived and leaves it alone", async () => {
    await using s = await stage("adopted");
    const text = config({ 51: [100] });
    await s.keepalived.apply(text, 1);
    await s.holds(100);
    const state = await s.supervisor.keepalived.state();
    const again = createKeepalivedDaemon({
      layout: s.layout,
      service: s.supervisor.keepalived,
      kernel: { view: () => Promise.resolve({ links: [], addresses: [] }) },
      program: "/usr/sbin/keepalived",
      clock,
    });
    assert.deepEqual(await again.apply(text, 1), { kind: "applied", reloaded: false });
    assert.deepEqual(await s.supervisor.keepalived.state(), state);
  });
});
