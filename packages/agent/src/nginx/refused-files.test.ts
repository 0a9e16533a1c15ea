// Files that nginx refuses, in a sandbox: broken ones, and those with a port that another process
// has. What is wrong is named, and the file before is back and serves.

import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { test } from "node:test";

import { runProgram } from "@fairlead/runtime";
import { inSandbox } from "@fairlead/testkit";

import { ask, listen, stage } from "../nginx-stage.ts";
import type { NginxOutcome } from "../ports.ts";

/** A port that somebody has is said to be taken within this, in ms: nginx tries it for 2.5 s. */
const TAKEN_MS_MAX = 3000;

/** Hands over a file with a port that another process has; how it ends within the time for that. */
async function applyTaken(apply: Promise<NginxOutcome>): Promise<NginxOutcome> {
  const begunMs = performance.now();
  const outcome = await apply;
  const tookMs = performance.now() - begunMs;
  assert.ok(tookMs < TAKEN_MS_MAX, `it was refused after ${Math.round(tookMs)} ms`);
  return outcome;
}

/** Of what it opens from now on; what is open stays. */
async function limitFiles(pid: number | undefined, files: number): Promise<void> {
  const args = ["--pid", String(pid), `--nofile=${files}:`];
  const { code } = await runProgram({
    command: "prlimit",
    args,
    timeoutMs: 5000,
    maxOutputBytes: 0,
  });
  assert.equal(code, 0);
}

/** The line that these words name, of the file that they name. */
async function lineOf(words: string): Promise<string> {
  const [, path = "", number] = / in (\S+):(\d+)$/.exec(words) ?? [];
  const lines = (await readFile(path, "utf8")).split("\n");
  return lines[Number(number) - 1]?.trim() ?? "";
}

function detailOf(outcome: NginxOutcome): string {
  assert.equal(outcome.kind, "refused");
  return outcome.remark.detail;
}

inSandbox({ file: import.meta.url, name: "nginx-refused" }, () => {
  test("a broken file is refused in nginx's words, and the old one still serves", async () => {
    await using s = await stage("broken");
    const good = s.config("g1", [8001]);
    await s.nginx.apply(good, "g1");
    const outcome = await s.nginx.apply(s.config("g2", [], ["  lisen 80;"]), "g2");
    assert.equal(outcome.kind, "refused");
    assert.equal(outcome.remark.reason, "ConfigRejected");
    assert.match(outcome.remark.detail, /^nginx: unknown directive "lisen" in .*refused.conf:\d+$/);
    assert.equal(await lineOf(outcome.remark.detail), "lisen 80;");
    assert.equal(await ask(8001), "g1");
    assert.equal(await readFile(s.configPath, "utf8"), good);
  });

  test("of a file with proved parts the news alone are checked", async () => {
    await using s = await stage("news");
    const good = s.config("g1", [8001]);
    await s.nginx.apply(good, "g1");
    const broken = s.config("g2", [], ["  lisen 80;"]);
    const outcome = await s.nginx.apply(s.config("g2", [8001, 8002]), "g2", broken);
    assert.match(detailOf(outcome), /"lisen" in .*refused.conf:\d+$/);
    assert.equal(await ask(8001), "g1");
    assert.equal(await readFile(s.configPath, "utf8"), good);
    const next = s.config("g3", [8001, 8002]);
    const applied = { kind: "applied", reloaded: true };
    assert.deepEqual(await s.nginx.apply(next, "g3", s.config("g3", [8002])), applied);
    assert.equal(await ask(8002), "g3");
  });

  test("what only the whole has wrong nginx refuses itself, and the file before is back", async () => {
    await using s = await stage("whole");
    const good = s.config("g1", [8001]);
    await s.nginx.apply(good, "g1");
    const twice = s.config("g2", [8001, 8002, 8002]);
    const outcome = await s.nginx.apply(twice, "g2", s.config("g2", [8002]));
    assert.match(detailOf(outcome), /^nginx: duplicate "127.0.0.1:8002" .* in .*refused.conf:\d+$/);
    assert.match(await lineOf(detailOf(outcome)), /127.0.0.1:8002/);
    assert.equal(await ask(8001), "g1");
    assert.equal(await readFile(s.configPath, "utf8"), good);
    assert.equal((await s.nginx.apply(s.config("g3", [8001, 8002]), "g3")).kind, "applied");
  });

  test("the first file of an agent is checked whole, whatever it says is new", async () => {
    await using s = await stage("unproved");
    const outcome = await s.nginx.apply(s.config("g1", [8001, 8001]), "g1", s.config("g1", []));
    assert.match(detailOf(outcome), /^nginx: duplicate .* in .*refused.conf:\d+$/);
    assert.deepEqual(await s.supervisor.nginx.state(), { up: false });
  });

  test("what the check alone reads changes nothing, and is told of as when it is applied", async () => {
    await using s = await stage("checked");
    const good = s.config("g1", [8001]);
    await s.nginx.apply(good, "g1");
    const { pid } = await s.supervisor.nginx.state();
    const refused = await s.nginx.check(s.config("g2", [8002], ["  lisen 80;"]));
    assert.equal(refused?.kind, "refused");
    assert.equal(await lineOf(refused.remark.detail), "lisen 80;");
    assert.equal(await s.nginx.check(s.config("g2", [8001, 8002])), undefined);
    assert.equal(await ask(8001), "g1");
    assert.equal(await s.nginx.generation(), "g1");
    assert.equal(await readFile(s.configPath, "utf8"), good);
    assert.equal((await s.supervisor.nginx.state()).pid, pid);
    const files = (await readdir(dirname(s.configPath))).filter((name) => name.endsWith(".conf"));
    assert.deepEqual(files.toSorted(), ["nginx.conf", "refused.conf"]);
    assert.equal((await s.nginx.apply(s.config("g2", [8001, 8002]), "g2")).kind, "applied");
  });

  test("a port that another process holds is named, and the file before is back", async () => {
    await using s = await stage("taken");
    const good = s.config("g1", [8001]);
    await s.nginx.apply(good, "g1");
    const pid = (await s.supervisor.nginx.state()).pid;
    const other = await listen(8005, (socket) => socket.end("other"));
    const outcome = await applyTaken(s.nginx.apply(s.config("g2", [8001, 8005]), "g2"));
    assert.deepEqual(outcome, {
      kind: "refused",
      remark: { reason: "PortTaken", detail: "127.0.0.1:8005 is in use by another process" },
    });
    assert.equal(await s.nginx.generation(), "g1");
    assert.equal(await ask(8005), "other");
    assert.equal((await s.supervisor.nginx.state()).pid, pid);
    assert.equal(await readFile(s.configPath, "utf8"), good);
    other.close();
    const again = await s.nginx.apply(s.config("g3", [8001, 8005]), "g3");
    assert.equal(again.kind, "applied");
    assert.equal(await ask(8005), "g3");
  });

  test("a master without descriptors refuses nothing: it serves on, and takes it later", async () => {
    await using s = await stage("descriptors");
    const good = s.config("g1", [8001]);
    await s.nginx.apply(good, "g1");
    const { pid } = await s.supervisor.nginx.state();
    const next = s.config("g2", [8001, 8002]);
    await limitFiles(pid, 3);
    const outcome = await s.nginx.apply(next, "g2");
    assert.equal(outcome.kind, "undecided");
    assert.equal(outcome.remark.reason, "DataPlaneDown");
    assert.match(outcome.remark.detail, /short of something.* \(24: Too many open files\)/);
    assert.equal(await ask(8001), "g1");
    assert.equal(await readFile(s.configPath, "utf8"), good);
    await limitFiles(pid, 1024);
    assert.deepEqual(await s.nginx.apply(next, "g2"), { kind: "applied", reloaded: true });
    assert.equal(await ask(8002), "g2");
    assert.equal((await s.supervisor.nginx.state()).pid, pid);
  });

  test("a first file that cannot start is named and not tried every second", async () => {
    await using s = await stage("first");
    const other = await listen(8005, (socket) => socket.end("other"));
    const outcome = await applyTaken(s.nginx.apply(s.config("g1", [8005]), "g1"));
    assert.equal(outcome.kind, "refused");
    assert.equal(outcome.remark.reason, "PortTaken");
    assert.deepEqual(await s.supervisor.nginx.state(), { up: false });
    other.close();
    assert.equal((await s.nginx.apply(s.config("g2", [8005]), "g2")).kind, "applied");
  });
});
