// The API server that is away for a minute, or answers nobody: what is served is served on, a host
// that dies is replaced, and what has to be written is written once when the server is back.

import assert from "node:assert/strict";

import { monotonicMs, type ProbeResult, startProbe } from "@fairlead/lab";
import type { KubeObject } from "@fairlead/testkit";

import {
  addService,
  CLUSTER,
  serviceTarget,
  timesTold,
  toldOf,
  untilTold,
  writtenByController,
} from "./stage/cluster-traces.ts";
import { statusOf, untilAddresses } from "./stage/cluster-views.ts";
import { manifest, service } from "./stage/manifests.ts";
import type { Stage } from "./stage/stage.ts";
import { story } from "./stage/story.ts";
import { takenAtMs } from "./stage/taken-at.ts";

const AWAY_MS = 60_000;
const FROZEN_MS = 20_000;
const TAKEOVER_MS_MAX = 5_000;
/** The longest wait between two tries of the controller, and some time for the try. */
const AGAIN_MS_MAX = 35_000;

story("the API server is away for a minute, and a host dies meanwhile", CLUSTER, async (stage) => {
  const { cluster, kube } = stage.api();
  const web = await addService(kube, { name: "web" });
  const { address, holder } = await stage.served("default/web");
  await stage.backed();
  await untilAddresses(kube, "web", [address]);
  await untilTold(kube, web, { reason: "AddressAllocated" });
  await using probe = await startProbe(stage.client, { address, port: 80, durationMs: 115_000 });
  await probe.waitForAnswer(5_000);

  const killedMs = monotonicMs();
  await cluster.apiserver.kill();
  await stage.until("what cannot be read is named", ({ findings }) => {
    const names = findings.map(({ name, remark }) => `${name} ${remark?.reason}`);
    return names.join() === UNREADABLE.join() ? true : undefined;
  });
  await probe.waitForAnswer(AWAY_MS, killedMs + AWAY_MS / 2);

  const crashedMs = monotonicMs();
  stage.agent(holder).abandon();
  await stage.lab.host(holder).crash();
  const next = await stage.recorder.waitForHolder(address, TAKEOVER_MS_MAX, holder);
  await probe.waitForAnswer(TAKEOVER_MS_MAX);
  await probe.waitForAnswer(AWAY_MS, killedMs + AWAY_MS);
  const { stdout } = await stage.fairlead("status");
  assert.match(stdout, /default\/web .* ready/);
  assert.match(stdout, /1 of 1 served; 2 of 3 agents connected/);
  const found = stdout.split("\n").filter((line) => line.startsWith("source "));
  assert.equal(found.length, UNREADABLE.length, stdout);
  for (const line of found) assert.match(line, /SourceUnreadable .*10\.77\.0\.6:6443/);

  const backMs = Date.now();
  await cluster.apiserver.start();
  const move = `${address} moved from ${holder} to ${next}`;
  await untilTold(kube, web, { reason: "VipMoved", note: move, ms: AGAIN_MS_MAX });
  await isWellAgain(stage);
  assert.deepEqual(statusOf(await kube.get(serviceTarget("web")))?.addresses, [address]);
  const written = await writtenByController(cluster, backMs);
  assert.equal(written.length, 1, written.join("\n"));
  assert.match(written[0] ?? "", /^create events default\//);
  await isToldOnce(stage, web, move);
  failedOnlyAfter(await probe.stop(), {
    lostMs: crashedMs,
    takenMs: takenAtMs(stage, address, next),
  });
});

story("a frozen API server loses nothing of what was asked meanwhile", CLUSTER, async (stage) => {
  const { cluster, kube, kubectl } = stage.api();
  const web = await addService(kube, { name: "web" });
  const { address, holder } = await stage.served("default/web");
  await stage.backed();
  await untilAddresses(kube, "web", [address]);
  await untilTold(kube, web, { reason: "AddressAllocated" });
  await using probe = await startProbe(stage.client, { address, port: 80 });
  await probe.waitForAnswer(5_000);

  const frozenMs = monotonicMs();
  const sinceMs = Date.now();
  await cluster.apiserver.freeze();
  const applied = kubectl(["apply", "--filename=-"], manifest(service({ name: "later" })));
  applied.catch(() => undefined);
  // An Event and two connections of ours are under way in the silence.
  await stage.lab.host(holder).cutLink();
  const cutMs = monotonicMs();
  const next = await stage.recorder.waitForHolder(address, TAKEOVER_MS_MAX, holder);
  await probe.waitForAnswer(TAKEOVER_MS_MAX);
  await probe.waitForAnswer(FROZEN_MS, frozenMs + FROZEN_MS);
  const list = await stage.asker.list();
  assert.deepEqual(
    list.claims.map(({ name, state }) => `${name} ${state}`),
    ["web ready"],
  );
  assert.deepEqual(list.findings, [], "silence of a moment is no trouble");

  cluster.apiserver.resume();
  await applied;
  const later = await stage.served("default/later", AGAIN_MS_MAX);
  await untilAddresses(kube, "later", [later.address], AGAIN_MS_MAX);
  const move = `${address} moved from ${holder} to ${next}`;
  await untilTold(kube, web, { reason: "VipMoved", note: move, ms: AGAIN_MS_MAX });
  await isWellAgain(stage);
  assert.deepEqual(statusOf(await kube.get(serviceTarget("web")))?.addresses, [address]);
  await isToldOnce(stage, web, move);
  const written = await writtenByController(cluster, sinceMs);
  const toWeb = written.filter(
    (line) => line.startsWith("patch services") && line.endsWith("/web"),
  );
  assert.deepEqual(toWeb, [], "its status says what it said");
  failedOnlyAfter(await probe.stop(), { lostMs: cutMs, takenMs: takenAtMs(stage, address, next) });
  await stage.lab.host(holder).healLink();
});

const UNREADABLE = ["addresspools", "endpointslices", "services"].map(
  (kind) => `kubernetes ${kind} SourceUnreadable`,
);

async function isWellAgain(stage: Stage): Promise<void> {
  await stage.until(
    "nothing is said of the API server any more",
    ({ findings }) => (findings.some(({ subject }) => subject === "source") ? undefined : true),
    AGAIN_MS_MAX,
  );
}

/** Every Event of the object was told once, and one of them says this. */
async function isToldOnce(stage: Stage, object: KubeObject, note: string): Promise<void> {
  const { kube } = stage.api();
  const events = await toldOf(kube, object);
  assert.equal(events.filter((event) => event.note.startsWith(note)).length, 1, note);
  for (const event of events) assert.equal(event.count, 1, event.note);
  assert.equal(await timesTold(kube, object, "AddressAllocated"), 1);
}

/** Nobody noticed anything but the takeover. */
function failedOnlyAfter(
  seen: ProbeResult,
  { lostMs, takenMs }: { readonly lostMs: number; readonly takenMs: number },
): void {
  const { allTries, longestSilence } = seen;
  assert.ok((longestSilence?.lengthMs ?? Number.POSITIVE_INFINITY) < 2_000, "a short takeover");
  // A try that began just before the loss has its answer on the way.
  const isTakeover = (atMs: number): boolean => atMs > lostMs - 250 && atMs < takenMs + 500;
  const others = allTries.filter(({ member, atMs }) => member === undefined && !isTakeover(atMs));
  assert.deepEqual(others, []);
}
