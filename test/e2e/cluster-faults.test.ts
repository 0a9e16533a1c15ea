// One fault after the other between the controller and its real API server, under a client that
// asks all the time: what is served is served on, the operator reads what is wrong, the server is
// not stormed, and what was changed meanwhile arrives when the fault is over.

import assert from "node:assert/strict";

import { monotonicMs, type Probe, startProbe } from "@fairlead/lab";

import type { RemarkJson } from "./stage/asker.ts";
import { addService, CLUSTER, serviceTarget } from "./stage/cluster-traces.ts";
import { statusOf, untilAddresses } from "./stage/cluster-views.ts";
import { type BegunFault, type FaultProxy, putBetween } from "./stage/fault-proxy.ts";
import { readSamples } from "./stage/linted-metrics.ts";
import { plansIn } from "./stage/settled.ts";
import { claimOf, type Stage } from "./stage/stage.ts";
import { story } from "./stage/story.ts";
import { AGAIN_MS_MAX, nobodyNoticed, untilWell } from "./stage/untroubled.ts";
import { visit } from "./stage/visitor.ts";

const KINDS_READ = ["services", "endpointslices", "addresspools"];
const RETRY_AFTER_S = 3;
const LATE_MS = 3_000;
const SILENT_MS = 8_000;
/** A second list has to lack something too, so long after the first, in ms. */
const BELIEVED_MS_MIN = 30_000;

/** What all parts of a story have. */
interface Scene {
  readonly stage: Stage;
  readonly proxy: FaultProxy;
  readonly probe: Probe;
}

story("an API server that fails in one way after the other", CLUSTER, async (stage) => {
  const proxy = await putBetween(stage);
  const { kube } = stage.api();
  await addService(kube, { name: "web" });
  const { address } = await stage.served("default/web");
  await stage.backed();
  await untilAddresses(kube, "web", [address]);
  await using probe = await startProbe(stage.client, { address, port: 80, durationMs: 115_000 });
  await probe.waitForAnswer(5_000);
  const sinceMs = monotonicMs();
  const scene = { stage, proxy, probe };

  await asksToBeLeftAlone(scene);
  await failsToWrite(scene);
  await breaksOffInAnEvent(scene);
  await answersLate(scene);
  await saysNothingMore(scene);

  const moves = stage.recorder
    .history()
    .filter((one) => one.address === address && one.atMs >= sinceMs);
  assert.deepEqual(moves, [], "it stays where it was");
  assert.deepEqual(await differences(stage), KINDS_READ.map((kind) => `${kind} 0`).toSorted());
  nobodyNoticed(await probe.stop());
});

/** 429 with Retry-After, to all that is read. */
async function asksToBeLeftAlone({ stage, proxy }: Scene): Promise<void> {
  const { kube } = stage.api();
  const before = plansIn(await stage.asker.list());
  const sinceMs = monotonicMs();
  const fault = await proxy.begin({
    verbs: ["list", "watch"],
    do: {
      kind: "answer",
      status: 429,
      message: "too many requests, please try again later",
      retryAfterS: RETRY_AFTER_S,
    },
  });
  await addService(kube, { name: "a" });
  for (const kind of KINDS_READ) {
    const { reason, detail } = await untilFound(stage, `kubernetes ${kind}`);
    assert.equal(reason, "SourceUnreadable");
    assert.match(detail, /too many requests, .* what it last showed stays in force/);
  }
  const { stdout } = await stage.fairlead("status");
  assert.match(stdout, /kubernetes services +SourceUnreadable .*too many requests/);
  assert.deepEqual(plansIn(await stage.asker.list()), before, "no host is told anything");
  const seconds = (monotonicMs() - sinceMs) / 1000;
  askedAtMost(fault, 1 + seconds / RETRY_AFTER_S);
  await fault.lift();
  await arrives(stage, "a");
}

/** 500 to whatever is written. */
async function failsToWrite({ stage, proxy }: Scene): Promise<void> {
  const { kube } = stage.api();
  const sinceMs = monotonicMs();
  const fault = await proxy.begin({
    verbs: ["write"],
    do: { kind: "answer", status: 500, message: "etcdserver: request timed out" },
  });
  await addService(kube, { name: "b" });
  const { reason, detail } = await untilFound(stage, "kubernetes writes");
  assert.equal(reason, "PublishFailed");
  assert.match(detail, /PATCH .*\/services\/b.*: etcdserver: request timed out/);
  // What nobody can be told of is served all the same.
  const { address } = await stage.served("default/b");
  await isVisited(stage, address);
  const status = statusOf(await kube.get(serviceTarget("b")));
  assert.deepEqual([status?.addresses, status?.finalizers], [[], []]);
  const seconds = (monotonicMs() - sinceMs) / 1000;
  // The first tries come soon after each other.
  askedAtMost(fault, 3 + seconds / 2);
  await fault.lift();
  await arrives(stage, "b");
}

/** A watch that ends in the middle of the event that tells of a Service. */
async function breaksOffInAnEvent({ stage, proxy }: Scene): Promise<void> {
  const sinceMs = Date.now();
  const fault = await proxy.begin({
    verbs: ["watch"],
    resources: ["services"],
    do: { kind: "cut" },
    times: 1,
  });
  await addService(stage.api().kube, { name: "c" });
  await fault.met();
  await arrives(stage, "c");
  assert.deepEqual(readsSince(proxy, sinceMs, "services"), ["watch"], "from where it was");
}

/** Every answer comes some seconds late. */
async function answersLate({ stage, proxy }: Scene): Promise<void> {
  const fault = await proxy.begin({
    verbs: ["list", "names", "watch", "get", "write"],
    do: { kind: "late", ms: LATE_MS },
  });
  const { kube } = stage.api();
  await addService(kube, { name: "d" });
  const { address } = await stage.served("default/d");
  await untilAddresses(kube, "d", [address], AGAIN_MS_MAX);
  assert.deepEqual((await stage.asker.list()).findings, [], "late is no trouble");
  askedAtMost(fault, 3);
  await fault.lift();
}

/** Connections that are open and carry nothing, as behind a firewall that forgot them. */
async function saysNothingMore({ stage, proxy, probe }: Scene): Promise<void> {
  const before = plansIn(await stage.asker.list());
  const sinceMs = Date.now();
  const fault = await proxy.begin({ verbs: ["watch"], do: { kind: "silence" } });
  const silentMs = monotonicMs();
  await addService(stage.api().kube, { name: "e" });
  await probe.waitForAnswer(SILENT_MS + 5_000, silentMs + SILENT_MS);
  const { claims, findings } = await stage.asker.list();
  assert.deepEqual(
    claims.map(({ name, state }) => `${name} ${state}`).toSorted(),
    ["web", "a", "b", "c", "d"].map((name) => `${name} ready`).toSorted(),
  );
  assert.deepEqual(findings, [], "silence of a moment is no trouble");
  assert.deepEqual(plansIn(await stage.asker.list()), before, "no host is told anything");
  assert.deepEqual(readsSince(proxy, sinceMs), [], "it is not asked twice for the same");
  await fault.lift();
  await arrives(stage, "e");
  assert.deepEqual(readsSince(proxy, sinceMs, "services"), ["watch"], "from where it was");
}

story("a list without anything in it, before a second one agrees", CLUSTER, async (stage) => {
  const proxy = await putBetween(stage);
  const { kube } = stage.api();
  const [web, hidden] = [await addServed(stage, "web"), await addServed(stage, "hidden")];
  await stage.backed();
  await using probe = await startProbe(stage.client, {
    address: web,
    port: 80,
    durationMs: 115_000,
  });
  await probe.waitForAnswer(5_000);
  const before = plansIn(await stage.asker.list());

  const emptied = [];
  for (const resource of ["services", "endpointslices"]) {
    emptied.push(await proxy.begin({ verbs: ["list"], resources: [resource], do: LACK, times: 1 }));
  }
  const sinceMs = monotonicMs();
  // A watch that begins too far back has to begin with a list.
  for (const resource of ["services", "endpointslices"]) {
    await proxy.begin({ verbs: ["watch"], resources: [resource], do: EXPIRED, times: 1 });
  }
  await Promise.all(emptied.map((fault) => fault.met()));
  const second = await proxy.begin({
    verbs: ["names"],
    resources: ["services"],
    do: { kind: "lack", names: ["hidden"] },
  });
  const { reason, detail } = await untilFound(stage, "kubernetes");
  assert.equal(reason, "SourceEmptied");
  assert.match(detail, /none of the 3 Services that were there; they stay in force until a second/);
  const { claims } = await stage.asker.list();
  assert.deepEqual(
    claims.map(({ name, state, members }) => `${name} ${state} ${members}`).toSorted(),
    ["hidden ready 2", "web ready 2"],
  );
  assert.deepEqual(plansIn(await stage.asker.list()), before, "no host is told anything");

  await second.met();
  assert.ok(monotonicMs() - sinceMs >= BELIEVED_MS_MIN, "a second list comes half a minute later");
  await stage.until("what both lists lack is let go", ({ claims: left, findings }) =>
    left.map(({ name }) => name).join() === "web" && findings.length === 0 ? true : undefined,
  );
  const early = stage.recorder
    .history()
    .filter(({ atMs }) => atMs >= sinceMs && atMs < sinceMs + BELIEVED_MS_MIN);
  assert.deepEqual(early, [], "no host lets anything go before");
  assert.equal(claimOf(await stage.asker.list(), "default/web")?.members, 2);
  await second.lift();

  // It was there all the time, and is seen when it changes.
  await kube.patch(serviceTarget("hidden"), { metadata: { labels: { seen: "again" } } });
  assert.equal((await stage.served("default/hidden")).address, hidden, "its own address again");
  await untilWell(stage);
  assert.deepEqual(statusOf(await kube.get(serviceTarget("web")))?.addresses, [web]);
  // The second look had to find it out: no watch had shown that it went.
  assert.deepEqual(await differences(stage), ["addresspools 0", "endpointslices 0", "services 1"]);
  nobodyNoticed(await probe.stop());
});

const LACK = { kind: "lack" } as const;
const EXPIRED = { kind: "answer", status: 410, message: "too old resource version" } as const;

async function addServed(stage: Stage, name: string): Promise<string> {
  await addService(stage.api().kube, { name });
  const { address } = await stage.served(`default/${name}`);
  await untilAddresses(stage.api().kube, name, [address]);
  return address;
}

/** The Service is served, says so, and nothing is amiss. */
async function arrives(stage: Stage, name: string): Promise<void> {
  const { address } = await stage.served(`default/${name}`, AGAIN_MS_MAX);
  await untilAddresses(stage.api().kube, name, [address], AGAIN_MS_MAX);
  await untilWell(stage);
  await isVisited(stage, address);
}

async function isVisited(stage: Stage, address: string): Promise<void> {
  const target = `${address}:80`;
  assert.match((await visit(stage.client, [target]))[target] ?? "", /^member/);
}

function untilFound(stage: Stage, name: string): Promise<RemarkJson> {
  return stage.until(
    `there is a finding ${name}`,
    ({ findings }) => findings.find((one) => one.name === name)?.remark,
    AGAIN_MS_MAX,
  );
}

/** No sort of request met the fault more often than that. */
function askedAtMost(fault: BegunFault, most: number): void {
  const requests = fault.requests();
  assert.ok(requests.length > 0, "it is met");
  const sorts = Map.groupBy(requests, ({ verb, resource, name }) => `${verb} ${resource} ${name}`);
  for (const [sort, { length }] of sorts) {
    assert.ok(length <= most, `${sort}: ${length} requests, and ${most} may be`);
  }
}

/** What was asked of whole kinds since then, second looks left out. */
function readsSince(proxy: FaultProxy, ms: number, kind?: string): readonly string[] {
  return proxy
    .askedSince(ms)
    .filter(({ resource }) => kind === undefined || resource === kind)
    .flatMap(({ verb }) => (verb === "list" || verb === "watch" ? [verb] : []));
}

/** What second looks found that watches had not shown: `services 0`, by name. */
async function differences({ control }: Stage): Promise<readonly string[]> {
  const samples = await readSamples(control, 7704, "fairlead_source_audit_differences_total");
  return samples.map(({ labels, value }) => [...Object.values(labels), value].join(" ")).toSorted();
}
