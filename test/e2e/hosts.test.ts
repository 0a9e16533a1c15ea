// Load-balancer hosts that fail: the cable of the holder, silence between hosts, a crash with a new
// boot. Another host answers each time, and whoever returns takes nothing back.

import assert from "node:assert/strict";

import { startProbe } from "@fairlead/lab";

import { agentIs } from "./stage/agent-is.ts";
import { readSamples } from "./stage/linted-metrics.ts";
import { service } from "./stage/manifests.ts";
import { claimOf, program, type Stage, STATE_DIR } from "./stage/stage.ts";
import { story } from "./stage/story.ts";
import { takenAtMs } from "./stage/taken-at.ts";
import { startWaitingClient } from "./stage/waiting-client.ts";

/** Loose, as the machine may be busy; the figures belong to the benches. */
const TAKEOVER_MS_MAX = 5_000;
/** Three adverts; of a host that is only as good as its last word nobody would know it so well. */
const MEASURED_MS_MAX = 1_500;
/** A double holding is known when both were heard of again, which a heartbeat may have to do. */
const YIELD_MS_MAX = 10_000;
/** The controller's line about an address that two hold, and who they are. */
const TWICE = /reason=HeldTwice .*detail="([^"]*)"/u;
/** The number of VRRP among IP's protocols. */
const VRRP = 112;
const CONNECTED_MS_MAX = 20_000;
/** By the end of the withdrawal, and until the client has written it down. */
const RESET_MS_MAX = 2_000;

story("the holder's cable is cut: another answers, and keeps it after", {}, async (stage) => {
  await stage.write("web.yaml", service({ name: "web" }));
  const { address, holder } = await stage.served("default/web");
  await stage.backed();
  await using probe = await startProbe(stage.client, { address, port: 80 });
  await probe.waitForAnswer(5_000);

  const before = await measuredGaps(stage);
  const lost = stage.lab.host(holder);
  await lost.cutLink();
  const next = await stage.recorder.waitForHolder(address, TAKEOVER_MS_MAX, holder);
  await probe.waitForAnswer(TAKEOVER_MS_MAX);
  await stage.until("the new holder is named", (list) =>
    list.claims[0]?.state === "ready" && list.claims[0].addresses[0]?.holder === next
      ? true
      : undefined,
  );
  await agentIs(stage, holder, "disconnected", CONNECTED_MS_MAX);
  const { steps } = await stage.asker.explain(address);
  const moved = steps.find(({ title }) => title === "Moved")?.detail ?? "";
  const [, gapMs] = /unplanned, gap (\d+) ms: lb\d is out of reach$/.exec(moved) ?? [];
  assert.ok(Number(gapMs) < MEASURED_MS_MAX, moved);
  const { count, sumMs } = before;
  const counted = { count: count + 1, sumMs: sumMs + Number(gapMs) };
  assert.deepEqual(await measuredGaps(stage), counted);

  await lost.healLink();
  await agentIs(stage, holder, "connected", CONNECTED_MS_MAX);
  await stage.inSync();
  assert.deepEqual(stage.recorder.holders(address), [next], "the returning host takes nothing");
  const seen = await probe.stop();
  const silence = seen.longestSilence?.lengthMs ?? Number.POSITIVE_INFINITY;
  assert.ok(silence < 2_000, `the client heard nothing for ${silence} ms`);
  const lateMs = takenAtMs(stage, address, next);
  const failedLater = seen.allTries.filter(
    (one) => one.member === undefined && one.atMs > lateMs + 500,
  );
  assert.equal(failedLater.length, 0, "the return of the host disturbs nobody");
});

story("the holder hears and is heard by nobody: it is as good as dead", {}, async (stage) => {
  await stage.write("web.yaml", service({ name: "web" }));
  const { address, holder } = await stage.served("default/web");
  await stage.backed();
  await using probe = await startProbe(stage.client, { address, port: 80 });
  await probe.waitForAnswer(5_000);

  const lost = stage.lab.host(holder);
  await lost.isolate();
  const next = await stage.recorder.waitForHolder(address, TAKEOVER_MS_MAX, holder);
  await probe.waitForAnswer(TAKEOVER_MS_MAX);
  await stage.until("the new holder is named", (list) =>
    list.claims[0]?.addresses[0]?.holder === next ? true : undefined,
  );
  assert.deepEqual(stage.recorder.holders(address).toSorted(), [holder, next].toSorted());

  await lost.rejoin();
  await stage.recorder.waitForHolder(address, TAKEOVER_MS_MAX);
  await agentIs(stage, holder, "connected", CONNECTED_MS_MAX);
  await stage.served("default/web");
  await probe.waitForAnswer(TAKEOVER_MS_MAX);
});

story("a host crashes and boots again: it serves as a successor", {}, async (stage) => {
  await stage.write("web.yaml", service({ name: "web" }));
  const { address, holder } = await stage.served("default/web");
  await stage.backed();
  await using probe = await startProbe(stage.client, { address, port: 80 });
  await probe.waitForAnswer(5_000);

  stage.agent(holder).abandon();
  await stage.lab.host(holder).crash();
  const next = await stage.recorder.waitForHolder(address, TAKEOVER_MS_MAX);
  assert.notEqual(next, holder);
  await probe.waitForAnswer(TAKEOVER_MS_MAX);
  await agentIs(stage, holder, "disconnected", CONNECTED_MS_MAX);

  await stage.lab.host(holder).boot();
  await stage.agent(holder).start();
  await agentIs(stage, holder, "connected", CONNECTED_MS_MAX);
  await stage.inSync();
  assert.deepEqual(stage.recorder.holders(address), [next], "the returning host takes nothing");
  const config = await stage.lab.host(holder).readFile("/run/fairlead/keepalived/keepalived.conf");
  assert.ok(config.includes(address), "it stands by again");

  // And it can: the next one fails.
  await stage.lab.host(next).cutLink();
  const third = await stage.recorder.waitForHolder(address, TAKEOVER_MS_MAX, next);
  await probe.waitForAnswer(TAKEOVER_MS_MAX);
  await stage.lab.host(next).healLink();
  await agentIs(stage, next, "connected", CONNECTED_MS_MAX);
  await stage.inSync();
  assert.deepEqual(stage.recorder.holders(address), [third]);
});

story(
  "VRRP is lost while all else passes: it is said, and ends within seconds",
  {},
  async (stage) => {
    await stage.write("web.yaml", service({ name: "web" }));
    const { address, holder } = await stage.served("default/web");
    await stage.backed();
    const deaf = stage.lab.host(holder);
    await deaf.dropProtocol(VRRP);
    await stage.recorder.waitForHolder(address, TAKEOVER_MS_MAX, holder);
    // It may be over before anybody asks for the list, so the log is read.
    const twice = await stage.controller.waitForLine(TWICE, YIELD_MS_MAX);
    const [, detail = ""] = twice;
    // Where both successors come up, the lesser one gives way before it is told of.
    const others = stage.balancers.map(({ name }) => name).filter((name) => name !== holder);
    assert.ok(detail.includes(holder), detail);
    assert.ok(
      others.some((name) => detail.includes(name)),
      detail,
    );
    // Whoever came second is told to yield.
    const kept = await stage.recorder.waitForHolder(address, YIELD_MS_MAX);
    assert.equal(kept, holder, "who held it first keeps it");

    await deaf.passProtocol(VRRP);
    await stage.backed();
    assert.equal((await stage.served("default/web")).holder, holder, "healing moves nothing");
    assert.deepEqual(stage.recorder.holders(address), [holder], "and nobody else has it");
  },
);

story("a holder withdraws for maintenance and comes back as a successor", {}, async (stage) => {
  await stage.write("web.yaml", service({ name: "web" }));
  const { address, holder } = await stage.served("default/web");
  await stage.backed();
  await using probe = await startProbe(stage.client, { address, port: 80 });
  await probe.waitForAnswer(5_000);

  await using waiting = await startWaitingClient(stage.client, address);

  stage.agent(holder).abandon();
  const host = stage.lab.host(holder);
  const args = ["stop", "--withdraw", `--state-dir=${STATE_DIR}`];
  await host.output(program("fairlead-agent"), args);
  // It has nothing to send: only the host that gave the address up can tell it.
  await waiting.waitForLine(/^ECONNRESET$/, RESET_MS_MAX);
  const next = await stage.recorder.waitForHolder(address, TAKEOVER_MS_MAX);
  assert.notEqual(next, holder);
  await stage.until("the new holder is named", (list) =>
    claimOf(list, "default/web")?.addresses[0]?.holder === next ? true : undefined,
  );

  await stage.agent(holder).start();
  await agentIs(stage, holder, "connected", CONNECTED_MS_MAX);
  assert.equal((await stage.served("default/web")).holder, next);
  // It can hold again: the next one fails.
  await stage.lab.host(next).cutLink();
  await stage.recorder.waitForHolder(address, TAKEOVER_MS_MAX, next);
  await probe.waitForAnswer(TAKEOVER_MS_MAX);
  await stage.lab.host(next).healLink();
  await agentIs(stage, next, "connected", CONNECTED_MS_MAX);
  await stage.served("default/web");
  await probe.stop();
});

/** Unplanned moves of addresses whose gap was measured, as the controller counts them. */
async function measuredGaps(
  stage: Stage,
): Promise<{ readonly count: number; readonly sumMs: number }> {
  const samples = await readSamples(stage.control, 7704, "fairlead_vip_move_gap_seconds");
  const of = (end: string): number =>
    samples.find(
      ({ name, labels: { cause, gap } }) =>
        name.endsWith(end) && cause === "unplanned" && gap === "measured",
    )?.value ?? 0;
  return { count: of("_count"), sumMs: Math.round(1000 * of("_sum")) };
}
