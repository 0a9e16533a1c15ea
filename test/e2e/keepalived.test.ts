// Processes of keepalived that are killed or frozen, alone and together, on the host that holds a
// lane: the other host takes it, and its address is on both for no longer than it may.

import assert from "node:assert/strict";

import { monotonicMs } from "@fairlead/lab";

import { BACK_MS_MAX, daemonsOf, pidOf, untilHost } from "./stage/daemons.ts";
import { service } from "./stage/manifests.ts";
import { signalAll } from "./stage/signal-all.ts";
import { story } from "./stage/story.ts";

/** keepalived runs again within this time. */
const RUNS_MS_MAX = 2_000;

const [PARENT, CHILD] = ["keepalived/keepalived.pid", "keepalived/vrrp.pid"];

/** What is done to which processes, by the files that name them. */
const LOSSES = [
  { what: "its first process is killed", signal: "KILL", files: [PARENT] },
  { what: "its child is killed", signal: "KILL", files: [CHILD] },
  { what: "both are killed", signal: "KILL", files: [PARENT, CHILD] },
  { what: "its first process is frozen", signal: "STOP", files: [PARENT] },
  { what: "its child is frozen", signal: "STOP", files: [CHILD] },
  { what: "both are frozen", signal: "STOP", files: [PARENT, CHILD] },
] as const;

// How long both hosts had the address, in each of these moves, is judged where every story ends.
story(
  "keepalived is killed and frozen in every way: the other host has the address, and it alone",
  { balancers: 2 },
  async (stage) => {
    await stage.write("web.yaml", service({ name: "web" }));
    for (const { what, signal, files } of LOSSES) {
      const { address, holder } = await stage.served("default/web");
      await stage.backed();
      const host = stage.lab.host(holder);
      const before = daemonsOf(host).keepalived;
      const lost = files.map((file) => pidOf(host, file));
      assert.ok(
        lost.every((pid) => before.includes(pid)),
        what,
      );

      await signalAll(host, signal, lost);
      const lostMs = monotonicMs();
      const next = await stage.recorder.waitForHolder(address, BACK_MS_MAX, holder);
      await untilHost(host, `${what}: another keepalived runs`, () => {
        const { keepalived } = daemonsOf(host);
        return keepalived.length === 2 && !keepalived.some((pid) => before.includes(pid));
      });
      const tookMs = Math.round(monotonicMs() - lostMs);
      assert.ok(tookMs < RUNS_MS_MAX, `${what}: it runs again after ${tookMs} ms`);
      assert.deepEqual(await stage.served("default/web"), { address, holder: next }, what);
      assert.deepEqual(stage.recorder.holders(address), [next], `${what}: no orphan is left`);
    }
  },
);
