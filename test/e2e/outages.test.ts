// Outages of everything at once: all programs of a host, the power of all hosts, and UDP's own
// nginx. Each is over without an operator.

import assert from "node:assert/strict";

import { type Host, monotonicMs, startProbe } from "@fairlead/lab";

import { agentIs } from "./stage/agent-is.ts";
import { commandOf } from "./stage/daemons.ts";
import { HTTP, service } from "./stage/manifests.ts";
import { noneFailed } from "./stage/none-failed.ts";
import type { Seat } from "./stage/seat.ts";
import { story } from "./stage/story.ts";
import { takenAtMs } from "./stage/taken-at.ts";

const RUN_DIR = "/run/fairlead";
/** Loose, as the machine may be busy; the figures belong to the benches. */
const TAKEOVER_MS_MAX = 5_000;
/** From the first word of an agent until its host has no address of an earlier life. */
const SWEPT_MS_MAX = 2_000;
/** A lane leaves a host that cannot serve within this, as its clients see it. */
const LEFT_MS_MAX = 500;
/** An agent that is silent is missed after two questions, 15 s. */
const MISSED_MS_MAX = 30_000;

story(
  "everything on a host is killed at once: its next agent sweeps it first of all",
  {},
  async (stage) => {
    await stage.write("web.yaml", service({ name: "web" }));
    const { address, holder } = await stage.served("default/web");
    await stage.backed();
    const host = stage.lab.host(holder);
    await using probe = await startProbe(stage.client, { address, port: 80, timeoutMs: 3_000 });
    await probe.waitForAnswer(TAKEOVER_MS_MAX);

    // Nothing is left on it that could give the address up: nobody hears it meanwhile.
    await host.isolate();
    await stage.agent(holder).kill();
    await killDataPlane(host);
    const next = await stage.recorder.waitForHolder(address, TAKEOVER_MS_MAX, holder);
    assert.ok(stage.recorder.holders(address).includes(holder), "the dead keep their addresses");

    await stage.agent(holder).start();
    assert.deepEqual(stage.recorder.holders(address), [next], "swept before it serves");
    const swept = stage.recorder
      .history()
      .findLast((one) => one.host === holder && one.address === address);
    assert.equal(swept?.event, "removed");
    const tookMs = swept.atMs - (await firstWordMs(stage.agent(holder)));
    assert.ok(tookMs < SWEPT_MS_MAX, `swept after ${tookMs} ms`);

    await host.rejoin();
    await agentIs(stage, holder, "connected", MISSED_MS_MAX);
    await stage.served("default/web");
    assert.deepEqual(stage.recorder.holders(address), [next], "who is back takes nothing");
    const seen = await probe.stop();
    const lateMs = takenAtMs(stage, address, next);
    const later = seen.allTries.filter(
      (one) => one.member === undefined && one.atMs > lateMs + LEFT_MS_MAX,
    );
    assert.deepEqual(later, [], "its return disturbs nobody");
  },
);

story(
  "the power of all hosts fails while there is no controller: their last plans are served",
  {},
  async (stage) => {
    await stage.write("web.yaml", service({ name: "web" }));
    const { address } = await stage.served("default/web");
    await stage.backed();
    await stage.controller.kill();
    await Promise.all(
      stage.balancers.map((host) => {
        stage.agent(host.name).abandon();
        return host.crash();
      }),
    );
    assert.deepEqual(stage.recorder.holders(address), []);

    await Promise.all(stage.balancers.map((host) => host.boot()));
    await Promise.all(stage.balancers.map(({ name }) => stage.agent(name).start()));
    const holder = await stage.recorder.waitForHolder(address, TAKEOVER_MS_MAX);
    await using probe = await startProbe(stage.client, { address, port: 80 });
    await probe.waitForAnswer(TAKEOVER_MS_MAX);
    await stage.controller.start();
    assert.deepEqual(
      await stage.served("default/web"),
      { address, holder },
      "it is taken as it is",
    );
    const seen = await probe.stop();
    noneFailed(seen);
  },
);

story(
  "UDP's own nginx is killed: lanes with listeners for it leave the host",
  {},
  async (stage) => {
    const dns = { name: "dns", port: 53, targetPort: 5353, protocol: "UDP" } as const;
    await stage.write("dns.yaml", service({ name: "dns", ports: [dns] }));
    const { address, holder } = await stage.served("default/dns");
    await stage.backed();
    const host = stage.lab.host(holder);
    const asked = { address, port: 53, protocol: "udp" } as const;
    await using probe = await startProbe(stage.client, asked);
    await probe.waitForAnswer(TAKEOVER_MS_MAX);
    await host.output("sh", ["-c", `kill -KILL $(cat ${RUN_DIR}/nginx-udp/nginx.pid)`]);
    const next = await stage.recorder.waitForHolder(address, TAKEOVER_MS_MAX, holder);
    await probe.waitForAnswer(TAKEOVER_MS_MAX);
    await stage.until("the new holder is named", (list) =>
      list.claims[0]?.addresses[0]?.holder === next ? true : undefined,
    );
    await stage.served("default/dns");
    assert.deepEqual(stage.recorder.holders(address), [next], "who is back takes nothing");
    const seen = await probe.stop();
    const silenceMs = (seen.longestSilence?.lengthMs ?? 0) - seen.longestPauseMs;
    assert.ok(silenceMs < LEFT_MS_MAX, `the client heard nothing for ${silenceMs} ms`);

    // With its last listener UDP's nginx ends for good, and takes no lane along; nor does the next.
    const both = [dns, HTTP];
    const moves = stage.recorder.history().length;
    for (const ports of [both, [HTTP], both]) {
      await stage.write("dns.yaml", service({ name: "dns", ports }));
      await stage.inSync();
      await stage.served("default/dns");
    }
    assert.equal(stage.recorder.history().length, moves, "no address comes or goes");
  },
);

/** Stopped before the first of them is killed: none is to see another's end. */
async function killDataPlane(host: Host): Promise<void> {
  const ours = host.pids().filter((pid) => !commandOf(host, pid).startsWith("ip\0-rcvbuf"));
  await host.exec("kill", ["-STOP", ...ours.map(String)]);
  await host.exec("kill", ["-KILL", ...ours.map(String)]);
}

/** When the present life of a program said its first word, on the lab's clock. */
async function firstWordMs(seat: Seat): Promise<number> {
  const [, time = ""] = await seat.waitForLine(/^(\S+Z) /, TAKEOVER_MS_MAX);
  return Date.parse(time) - Date.now() + monotonicMs();
}
