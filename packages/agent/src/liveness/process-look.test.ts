// A process that is followed is told as it is until its end, and its number is nobody's after.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { setImmediate as turn } from "node:timers/promises";
import { test } from "node:test";

import { childrenOf, follow, followChildren, lookAt } from "./process-look.ts";

test("one that is followed is seen to stop, to go on and to end", async () => {
  const child = spawn("sleep", ["3600"], { stdio: "ignore" });
  try {
    await once(child, "spawn");
    const pid = child.pid ?? 0;
    using followed = follow(pid);
    assert.ok(followed);
    const until = async (state: RegExp): Promise<void> => {
      const endMs = performance.now() + 20_000;
      while (!state.test(followed.look()?.state ?? "") && performance.now() < endMs) await turn();
      assert.match(followed.look()?.state ?? "", state);
    };
    await until(/S/);
    assert.deepEqual(followed.look(), lookAt(pid));
    assert.equal(followed.look()?.parent, process.pid);
    child.kill("SIGSTOP");
    await until(/T/);
    child.kill("SIGCONT");
    await until(/S/);
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
    assert.equal(followed.look(), undefined);
    assert.equal(follow(pid), undefined);
  } finally {
    child.kill("SIGKILL");
  }
});

test("children that are followed are told as they come and go, until their parent ends", async () => {
  const script = "sleep 3600 & echo up; read line; kill $!; wait; echo down; read line";
  const parent = spawn("sh", ["-c", script], { stdio: ["pipe", "pipe", "ignore"] });
  try {
    await once(parent.stdout, "data");
    const pid = parent.pid ?? 0;
    using followed = followChildren(pid);
    const [child, ...others] = followed?.look() ?? [];
    assert.ok(child !== undefined && others.length === 0);
    assert.deepEqual(childrenOf(pid), [child]);
    assert.equal(followed?.look(), followed?.look(), "the very same list");
    parent.stdin.write("\n");
    await once(parent.stdout, "data");
    assert.deepEqual(followed?.look(), []);
    const ended = once(parent, "exit");
    parent.kill("SIGKILL");
    await ended;
    assert.deepEqual(followed?.look(), []);
    assert.equal(followChildren(pid), undefined);
  } finally {
    parent.kill("SIGKILL");
  }
});

test("what is left of a process whose parent does not look is no process", async () => {
  // The shell's child ends and stays a zombie, as the shell becomes somebody who never waits.
  const script = "sh -c 'echo $$' & exec sleep 3600";
  const parent = spawn("sh", ["-c", script], { stdio: ["ignore", "pipe", "ignore"] });
  try {
    const [line] = (await once(parent.stdout, "data")) as [Buffer];
    const pid = Number(line.toString().trim());
    const endMs = performance.now() + 20_000;
    while (lookAt(pid) !== undefined && performance.now() < endMs) await turn();
    assert.equal(lookAt(pid), undefined);
    using followed = follow(pid);
    assert.equal(followed?.look(), undefined);
  } finally {
    parent.kill("SIGKILL");
  }
});
