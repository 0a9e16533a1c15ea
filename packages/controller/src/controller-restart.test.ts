// A controller that ends, and the next one over the same store, where nothing changed: no agent is
// sent anything, no row of the store is written, and no status. On the stores that stand beside a
// folder, with an agent that is played by hand on real gRPC; what a cluster's own log says of the
// third one is in the end-to-end tests of leadership.

import assert from "node:assert/strict";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, suite, test } from "node:test";
import { setImmediate } from "node:timers/promises";

import { type EtcdCluster, startEtcdCluster } from "@fairlead/lab";
import type { AgentReport, NodePlan, Revision } from "@fairlead/model";
import { createLogger, createSystemClock, formatHostPort } from "@fairlead/runtime";
import { makeAgent, makePool, makeReport } from "@fairlead/testkit";
import { createRevisions, encodeReport } from "@fairlead/wire";

import { toolPath } from "../../../test/tools/tool-path.ts";
import { type RunningController, runController } from "./controller.ts";
import { readEtcdUrls } from "./etcd/etcd-access.ts";
import { sampleSettings } from "./sample-settings.ts";
import type { ControllerSettings } from "./settings.ts";
import { HandPlayedAgent } from "./sync/hand-played-agent.ts";

const WAIT_MS_MAX = 20_000;
const AGENT = makeAgent("lb-1", { prefixes: ["192.0.2.11/24"] });
const SERVICES = ["web", "api", "dns"];
const revisions = createRevisions();

let starting: Promise<EtcdCluster> | undefined;

after(async () => {
  await (await starting)?.[Symbol.asyncDispose]();
});

suite("where nothing changed a successor sends, writes and says nothing", () => {
  test("after a restart over a file", async () => {
    using stage = makeStage();
    const settings = settingsFor(stage, { kind: "sqlite", path: join(stage.root, "store.db") });
    const served = await serve(settings, stage);
    await untouched(await start(settings), stage, served);
  });

  test("after a change of leaders over an etcd", async () => {
    using stage = makeStage();
    starting ??= startEtcdCluster({ program: toolPath("etcd", "server") });
    const read = readEtcdUrls(`etcd:${(await starting).urls.join(",")}`);
    assert.ok(read.kind === "ok");
    const { access } = read;
    const settings = settingsFor(stage, { kind: "etcd", access, base: "/fairlead" });
    let standby: RunningController | undefined;
    const served = await serve(settings, stage, async () => {
      standby = await start(settings);
      assert.equal(standby.cycle.view().lead.leads, false);
    });
    assert.ok(standby !== undefined);
    await untouched(standby, stage, served);
  });
});

interface Stage extends Disposable {
  readonly root: string;
  readonly folder: string;
}

/** What an agent and the folder have when the first controller has ended. */
interface Served {
  readonly planRevision: Revision;
  readonly report: AgentReport;
  readonly statuses: readonly string[];
}

function makeStage(): Stage {
  const root = fs.mkdtempSync(join(tmpdir(), "fairlead-restart-"));
  const folder = join(root, "manifests");
  fs.mkdirSync(folder);
  for (const name of SERVICES) fs.writeFileSync(join(folder, `${name}.yaml`), manifestOf(name));
  return {
    root,
    folder,
    [Symbol.dispose]: () => fs.rmSync(root, { recursive: true, force: true }),
  };
}

/** Lets a controller serve everything on the agent, and ends it. */
async function serve(
  settings: ControllerSettings,
  { folder }: Stage,
  beforeTheEnd: () => Promise<void> = () => Promise.resolve(),
): Promise<Served> {
  await using controller = await start(settings);
  const agent = new HandPlayedAgent(formatHostPort(controller.agentsAt));
  agent.say({ kind: "hello", hello: AGENT.hello, reportDigest: undefined });
  await until(() => planOf(controller) !== undefined);
  // What an agent does with each update, until everything is served and nothing is left to do.
  let report: AgentReport | undefined;
  const isDone = (): boolean =>
    isServed(controller) && reportOf(controller).planRevision === report?.planRevision;
  while (!isDone()) {
    await until(() => isDone() || agent.heard.some(({ kind }) => kind === "update"));
    if (isDone()) break;
    const { update } = await agent.next("update");
    agent.say({ kind: "ack", ack: { nonce: update.nonce, step: "received", nacks: [] } });
    report = { ...reportOf(controller), sequence: (report?.sequence ?? 0) + 1 };
    agent.say({ kind: "report", report: encodeReport(report) });
    const { cycles } = controller.cycle.view();
    await until(() => controller.cycle.view().cycles > cycles);
    await controller.cycle.settled();
  }
  const areReady = (text: string): boolean => text.includes("\n  state: ready\n");
  await until(() => statusesIn(folder).filter(areReady).length === SERVICES.length);
  await controller.cycle.settled();
  assert.ok(report?.planRevision !== undefined);
  assert.ok((await metricOf(controller, "fairlead_sync_updates_total")) > 0);
  assert.ok((await metricOf(controller, "fairlead_store_rows_written_total")) > 0);
  await beforeTheEnd();
  agent.close();
  await controller[Symbol.asyncDispose]();
  return { planRevision: report.planRevision, report, statuses: statusesIn(folder) };
}

/** Lets the agent come back to the next controller, which finds all as it was left. */
async function untouched(
  successor: RunningController,
  { folder }: Stage,
  { planRevision, report, statuses }: Served,
): Promise<void> {
  await using controller = successor;
  await until(() => controller.cycle.view().epoch > 0);
  const agent = new HandPlayedAgent(formatHostPort(controller.agentsAt));
  const { epoch } = controller.cycle.view();
  const hello = { ...AGENT.hello, epoch: epoch - 1, planRevision };
  agent.say({ kind: "hello", hello, reportDigest: undefined });
  agent.say({ kind: "report", report: encodeReport(report) });
  await until(() => isServed(controller));
  const { cycles } = controller.cycle.view();
  agent.say({ kind: "report", report: encodeReport({ ...report, sequence: 2, epoch }) });
  await until(() => controller.cycle.view().cycles > cycles);
  await controller.cycle.settled();
  assert.deepEqual(reportOf(controller).planRevision, planRevision, "the plan is the same");
  assert.deepEqual(
    agent.heard.filter(({ kind }) => kind === "update"),
    [],
  );
  assert.equal(await metricOf(controller, "fairlead_sync_updates_total"), 0);
  assert.equal(await metricOf(controller, "fairlead_store_rows_written_total"), 0);
  agent.close();
  await controller[Symbol.asyncDispose]();
  assert.deepEqual(statusesIn(folder), statuses, "no status was written, not even with the same");
}

function planOf({ cycle }: RunningController): NodePlan | undefined {
  const plan = cycle.view().plan?.nodePlans.get(AGENT.name);
  return plan !== undefined && plan.resources.size > 0 ? plan : undefined;
}

function reportOf(controller: RunningController): AgentReport {
  const plan = planOf(controller);
  assert.ok(plan !== undefined);
  const report = makeReport(
    plan,
    () => true,
    (resource) => revisions.revisionOf(resource),
  );
  const all = [...plan.resources.values()];
  const planRevision = revisions.planRevisionOf(
    all.map((one) => [one.name, revisions.revisionOf(one)]),
  );
  return { ...report, links: AGENT.hello.links, planRevision };
}

function isServed({ cycle }: RunningController): boolean {
  const verdicts = [...(cycle.view().plan?.verdicts.values() ?? [])];
  return verdicts.length === SERVICES.length && verdicts.every(({ state }) => state === "ready");
}

/** Names of status files, with what is in them and when it was written; not of who stands by. */
function statusesIn(folder: string): readonly string[] {
  const dir = join(folder, ".status");
  return fs
    .readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !/^\.?standby\.yaml/u.test(entry.name))
    .map(({ parentPath, name }) => join(parentPath, name))
    .toSorted()
    .map((path) => {
      const { mtimeNs, ino } = fs.statSync(path, { bigint: true });
      return `${path} ${ino} ${mtimeNs} ${fs.readFileSync(path, "utf8")}`;
    });
}

async function metricOf({ metricsAt }: RunningController, name: string): Promise<number> {
  assert.ok(metricsAt !== undefined);
  const answer = await fetch(`http://${formatHostPort(metricsAt)}/metrics`);
  const line = new RegExp(`^${name} (\\S+)$`, "mu").exec(await answer.text());
  return Number(line?.[1]);
}

/** Turns of the event loop go by, in which a real controller works. */
async function until(isSo: () => boolean): Promise<void> {
  const deadlineMs = performance.now() + WAIT_MS_MAX;
  while (!isSo()) {
    assert.ok(performance.now() < deadlineMs, "it comes about in time");
    await setImmediate();
  }
}

async function start(settings: ControllerSettings): Promise<RunningController> {
  return await runController({
    settings,
    clock: createSystemClock(),
    log: createLogger({ level: "silent", format: "json" }),
    onFailed: (error) => {
      throw error;
    },
  });
}

function manifestOf(name: string): string {
  return `
apiVersion: v1
kind: Service
metadata: { name: ${name} }
spec:
  type: LoadBalancer
  ports: [{ name: http, port: 80 }, { name: https, port: 443 }]
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: { name: ${name}-1, labels: { kubernetes.io/service-name: ${name} } }
addressType: IPv4
endpoints: [{ addresses: [10.0.0.1] }, { addresses: [10.0.0.2] }]
ports: [{ name: http, port: 8080 }, { name: https, port: 8443 }]
`;
}

function settingsFor(
  { root, folder }: Stage,
  store: ControllerSettings["store"],
): ControllerSettings {
  return sampleSettings({
    source: { kind: "folder", folder },
    pools: [makePool("lan", "192.0.2.100-192.0.2.109")],
    store,
    externalPoolDir: join(root, "external"),
  });
}
