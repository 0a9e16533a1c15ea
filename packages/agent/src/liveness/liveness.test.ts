// keepalived and nginx under s6 in a sandbox, alone on a segment, killed and frozen in every way:
// what the kernel has, and what is said to lanes with a successor. With and without an agent.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";

import { runProgram } from "@fairlead/runtime";
import { acceptedPlan, inSandbox, laneOf } from "@fairlead/testkit";

import { readWorkers } from "../nginx/workers.ts";
import {
  GENERATION,
  ip,
  isHeld,
  killAll,
  nginxText,
  pidIn,
  stage,
  until,
} from "../data-plane-stage.ts";

const PRLIMIT = "/usr/bin/prlimit";
/** keepalived runs again within this time; three adverts later nobody else has spoken. */
const RUNS_MS_MAX = 2_000;

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
      const endMs = performance.now() + RUNS_MS_MAX;
      if (parent) process.kill(before, signal);
      if (child) process.kill(beforeChild, signal);
      await until(async () => !(await isHeld()), `the VIP left: ${name}`);
      await until(async () => {
        const now = [await pidIn(pid).catch(() => 0), await pidIn(vrrpPid).catch(() => 0)];
        return !now.some((one) => one === 0 || one === before || one === beforeChild);
      }, `another keepalived runs: ${name}`);
      const lateMs = Math.round(performance.now() - endMs);
      assert.ok(lateMs <= 0, `${name}: it runs ${lateMs} ms after ${RUNS_MS_MAX} ms`);
      await until(isHeld, `the VIP is back: ${name}`);
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

  test("nginx's workers die again and again: lanes leave, and come back when one lives", async () => {
    await using s = await stage("crashing");
    await using _ = s.watch();
    const master = await pidIn(s.layout.nginx.pid);
    await until(async () => {
      for (const { pid } of readWorkers(master)) process.kill(pid, "SIGKILL");
      return !(await isHeld());
    }, "the VIP left");
    await until(isHeld, "the VIP is back");
    assert.equal(await pidIn(s.layout.nginx.pid), master, "there was nothing wrong with it");
  });

  test("a reload replaces all workers of nginx, and takes no lane along", async () => {
    await using s = await stage("reloads");
    let looks = 0;
    const counting = { generation: () => Promise.resolve(String((looks += 1))) };
    await using _ = s.watch(undefined, counting);
    for (const reload of [1, 2, 3]) {
      await s.nginx.apply(`# ${reload}\n${nginxText(s.layout.nginx)}`, GENERATION);
      const enough = looks + 3;
      await until(async () => {
        assert.equal(await s.said(), "0");
        return looks >= enough;
      }, "it was looked at three times");
    }
  });

  test("nginx has no file left: lanes leave, and come back when it has", async () => {
    await using s = await stage("full");
    await using _ = s.watch();
    const [worker] = readWorkers(await pidIn(s.layout.nginx.pid));
    const limit = async (files: string): Promise<void> => {
      const args = ["--pid", String(worker?.pid), `--nofile=${files}:`];
      const limits = { timeoutMs: 5000, maxOutputBytes: 4096 };
      const { code, stderr } = await runProgram({ command: PRLIMIT, args, ...limits });
      assert.equal(code, 0, stderr);
    };
    await limit("1");
    await until(async () => !(await isHeld()), "the VIP left");
    await limit("1024");
    await until(isHeld, "the VIP is back");
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
