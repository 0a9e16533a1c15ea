// nginx itself under s6 in a sandbox: first start, reload, a master that is killed or gets no time,
// and applies that meet. Each with the proof by the generation that answers.

import assert from "node:assert/strict";
import { once } from "node:events";
import { readFile, rename } from "node:fs/promises";
import { createServer } from "node:net";
import { test } from "node:test";

import { inSandbox } from "@fairlead/testkit";

import { ask, stage } from "../nginx-stage.ts";
import { killS6 } from "../supervise/s6-processes.ts";
import { unixSocketsOf } from "./generation-probe.ts";

inSandbox({ file: import.meta.url, name: "nginx" }, () => {
  test("first start, reload with a new listener, and nothing for the same text", async () => {
    await using s = await stage("reload");
    assert.equal(await s.nginx.generation(), undefined);
    assert.equal((await s.nginx.generationsAlive()).length, 0);
    const first = s.config("g1", [8001]);
    assert.deepEqual(await s.nginx.apply(first, "g1"), { kind: "applied", reloaded: true });
    assert.equal(await s.nginx.generation(), "g1");
    assert.equal(await ask(8001), "g1");
    assert.equal((await s.nginx.generationsAlive()).length, 1);
    const second = s.config("g2", [8001, 8002]);
    assert.deepEqual(await s.nginx.apply(second, "g2"), { kind: "applied", reloaded: true });
    assert.equal(await ask(8002), "g2");
    const pid = (await s.supervisor.nginx.state()).pid;
    assert.deepEqual(await s.nginx.apply(second, "g2"), { kind: "applied", reloaded: false });
    assert.equal((await s.supervisor.nginx.state()).pid, pid);
  });

  test("a killed master is back by itself with the same generation", async () => {
    await using s = await stage("killed");
    const text = s.config("g1", [8001]);
    await s.nginx.apply(text, "g1");
    const { pid } = await s.supervisor.nginx.state();
    assert.ok(pid !== undefined);
    process.kill(pid, "SIGKILL");
    for (;;) {
      const state = await s.supervisor.nginx.state();
      if (state.up && state.pid !== pid && (await s.nginx.generation()) === "g1") break;
    }
    assert.equal(await ask(8001), "g1");
    assert.equal((await s.nginx.generationsAlive()).length, 1);
    assert.deepEqual(await s.nginx.apply(text, "g1"), { kind: "applied", reloaded: false });
  });

  test("one that outlived its whole supervisor is started under another one", async () => {
    await using s = await stage("unwatched");
    const text = s.config("g1", [8001]);
    await s.nginx.apply(text, "g1");
    const { pid } = await s.supervisor.nginx.state();
    await killS6();
    assert.equal(await ask(8001), "g1");
    assert.equal((await s.nginx.apply(text, "g1")).kind, "applied");
    const { pid: next } = await s.supervisor.nginx.state();
    assert.ok(next !== undefined && next !== pid);
    while ((await s.nginx.generationsAlive()).length === 0) {}
    assert.equal(await ask(8001), "g1");
    assert.deepEqual(await s.nginx.apply(text, "g1"), { kind: "applied", reloaded: false });
  });

  test("an apply right after a kill waits for the new master", async () => {
    await using s = await stage("race");
    await s.nginx.apply(s.config("g1", [8001]), "g1");
    const { pid } = await s.supervisor.nginx.state();
    assert.ok(pid !== undefined);
    process.kill(pid, "SIGKILL");
    const outcome = await s.nginx.apply(s.config("g2", [8001, 8002]), "g2");
    assert.deepEqual(outcome, { kind: "applied", reloaded: true });
    assert.equal(await ask(8002), "g2");
  });

  test("a master that gets no time refuses nothing, and takes the next file when it goes on", async () => {
    await using s = await stage("stopped");
    const good = s.config("g1", [8001]);
    await s.nginx.apply(good, "g1");
    const { pid } = await s.supervisor.nginx.state();
    assert.ok(pid !== undefined);
    process.kill(pid, "SIGSTOP");
    const begunMs = performance.now();
    const outcome = await s.nginx
      .apply(s.config("g2", [8001, 8002]), "g2")
      .finally(() => process.kill(pid, "SIGCONT"));
    const tookMs = performance.now() - begunMs;
    // Longer than nginx itself tries a taken port, and no longer than that it is known.
    assert.ok(tookMs >= 4000 && tookMs < 5000, `it was said after ${Math.round(tookMs)} ms`);
    assert.equal(outcome.kind, "undecided");
    assert.equal(outcome.remark.reason, "DataPlaneDown");
    assert.match(outcome.remark.detail, /^nginx: its new file did not serve within 4000 ms, /);
    assert.equal(await ask(8001), "g1");
    assert.equal(await readFile(s.configPath, "utf8"), good);
    assert.equal((await s.nginx.apply(s.config("g3", [8001, 8002]), "g3")).kind, "applied");
    assert.equal(await ask(8002), "g3");
  });

  test("the sockets of a check that was killed do not keep nginx from its file", async () => {
    await using s = await stage("stale");
    await s.nginx.apply(s.config("g1", [8001]), "g1");
    const sockets = unixSocketsOf(s.config("g2", []));
    assert.equal(sockets.length, 2);
    for (const socket of sockets) {
      const left = createServer().listen("/run/stale/check.sock");
      await once(left, "listening");
      await rename("/run/stale/check.sock", socket);
      await new Promise((resolve) => left.close(resolve));
    }
    assert.equal((await s.nginx.apply(s.config("g2", [8001]), "g2")).kind, "applied");
  });

  test("applies that come together are done one after the other", async () => {
    await using s = await stage("together");
    const outcomes = await Promise.all(
      ["g1", "g2", "g3"].map((id) => s.nginx.apply(s.config(id, [8001]), id)),
    );
    assert.deepEqual(new Set(outcomes.map((outcome) => outcome.kind)), new Set(["applied"]));
    assert.equal(await s.nginx.generation(), "g3");
  });
});
