// keepalived itself under s6 in a sandbox, steered by its adapter: starts, reloads, refusals and
// kills. What is held is read from the kernel.

import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { test } from "node:test";
import { inSandbox } from "@fairlead/testkit";
import { createKeepalivedDaemon } from "./keepalived-daemon.ts";
import { ip } from "../data-plane-stage.ts";
import { checksOf, clock, config, makeLink, stage } from "../keepalived-stage.ts";
import { killS6 } from "../supervise/s6-processes.ts";

async function pidOf(file: string): Promise<number> {
  return Number((await readFile(file, "utf8")).trim());
}

inSandbox({ file: import.meta.url, name: "keepalived" }, () => {
  test("first start, one more VIP by reload, nothing for the same text, a graceful end", async () => {
    await makeLink();
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

  test("one that lost its supervisor ends with its last lane, and holds nothing on", async () => {
    await using s = await stage("lost");
    await s.keepalived.apply(config({ 51: [100] }), 1);
    await s.holds(100);
    await killS6();
    await s.keepalived.stop();
    await s.holds();
    await s.keepalived.apply(config({ 51: [101] }), 1);
    await s.holds(101);
  });

  test("a broken file is refused in keepalived's words, and nothing moves", async () => {
    await using s = await stage("broken");
    const good = config({ 51: [100] });
    await s.keepalived.apply(good, 1);
    await s.holds(100);
    const outcome = await s.keepalived.apply(`${good}\nbadword x\n`, 1);
    assert.equal(outcome.kind, "refused");
    assert.equal(outcome.remark.reason, "ConfigRejected");
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
