// The IPAM service of a real controller, over a file, over an etcd and over a cluster with the
// rights of deploy/rbac, that is killed between any two words of its clients: what one of them was
// told stays true, a question that was not answered is asked again, and a release is one. That time
// takes registrations back is told on a fake clock, beside the service.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { startEtcdCluster } from "@fairlead/lab";
import { createSystemClock } from "@fairlead/runtime";

import { toolPath } from "../tools/tool-path.ts";
import { startDeployedCluster } from "./stage/deployed-cluster.ts";
import { parseMetricsPage } from "./stage/metrics-page.ts";
import { type SpokenProgram, startSpoken } from "./stage/spoken-program.ts";
import { program } from "./stage/stage.ts";

const CLIENTS = 40;
/** Answers before the first kill, while the others still wait for theirs. */
const ANSWERS = 5;

/** A leader that was killed leads for so long, and a busy machine needs some time for the rest. */
const LEAD_S = 2;
const ANSWERS_MS_MAX = 20_000;
const CLASS = { name: "lab" };
const clock = createSystemClock();

type Shown = Readonly<Record<string, unknown>>;

/** One life of the controller. */
interface Life extends AsyncDisposable {
  /** Status and body; rejects when nobody answers any more. */
  ask(method: string, path: string, body?: object): Promise<readonly [number, Shown]>;
  /** The samples of a family, each as its labels' values and its number. */
  samples(name: string): Promise<readonly string[]>;
  /** kill -9 */
  kill(): Promise<void>;
}

/** What a controller is started with, and where its rows are. */
interface Place extends AsyncDisposable {
  readonly flags: readonly string[];
  /** Takes away what it keeps its rows in, and gives it back. */
  readonly outage?: { begin(): Promise<void>; end(): Promise<void> };
}

const PLACES: readonly { readonly name: string; readonly start: () => Promise<Place> }[] = [
  { name: "a file", start: startFolder },
  { name: "an etcd", start: startEtcd },
  { name: "a cluster", start: startCluster },
];

for (const { name, start } of PLACES) {
  test(`what the IPAM service said stays true over kill -9 of the controller: ${name}`, async () => {
    await using place = await start();
    const told = await registerThroughKill(place);
    const [gone = "", renewed = ""] = told.keys();
    {
      await using life = await startLife(place);
      const [status, { expires }] = await life.ask("POST", `/registrations/${renewed}/renew`);
      assert.equal(status, 200);
      assert.ok(Date.parse(String(expires)) > Date.now());
      assert.deepEqual(await life.ask("DELETE", `/registrations/${gone}`), [204, {}]);
      await life.kill();
    }
    await using life = await startLife(place);
    const [again, { code }] = await life.ask("DELETE", `/registrations/${gone}`);
    assert.deepEqual([again, code], [404, "UnknownRegistration"]);
    const address = told.get(gone) ?? "";
    told.delete(gone);
    const dumped = await life.ask("GET", "/addresses");
    const sorted = [...told].toSorted(([a], [b]) => (a < b ? -1 : 1));
    assert.deepEqual(dumped, [200, { addresses: Object.fromEntries(sorted) }]);
    // It rests for its last holder while others are given what is free.
    const [, fresh] = await life.ask("POST", "/registrations", { class: "lab" });
    assert.notEqual(fresh["address"], address);
    if (place.outage !== undefined) await assertTold(life, place.outage);
    const back = await life.ask("POST", "/registrations", { class: "lab", uuid: gone });
    assert.deepEqual([back[0], back[1]["address"]], [201, address]);

    assert.deepEqual(await life.samples("fairlead_ipam_addresses"), [
      `lab ipv4 held ${CLIENTS + 1}`,
      "lab ipv4 quarantined 0",
      `lab ipv4 free ${256 - CLIENTS - 1}`,
    ]);
    const refusals = await life.samples("fairlead_ipam_refusals_total");
    assert.ok(refusals.includes("UnknownRegistration 1"), refusals.join());
  });
}

/** While there is nothing to write to, clients are told so. */
async function assertTold(life: Life, outage: NonNullable<Place["outage"]>): Promise<void> {
  await outage.begin();
  const [status, { code, detail }] = await life.ask("POST", "/registrations", { class: "lab" });
  assert.equal(status, 503, String(detail));
  assert.ok(["StoreUnavailable", "NotLeading"].includes(String(code)), String(code));
  assert.match(String(detail), /API server|does not lead/);
  await outage.end();
  await untilAnswers(life);
}

async function startFolder(): Promise<Place> {
  const folder = mkdtempSync(join(tmpdir(), "fairlead-ipam-"));
  mkdirSync(join(folder, "manifests"));
  return {
    flags: [`--source=${join(folder, "manifests")}`, `--state-dir=${join(folder, "state")}`],
    [Symbol.asyncDispose]: async () => {
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function startEtcd(): Promise<Place> {
  const etcd = await startEtcdCluster({ program: toolPath("etcd", "server"), members: 1 });
  const folder = await startFolder();
  const store = `--store=etcd:${etcd.urls.join(",")}`;
  return {
    flags: [...folder.flags, store, `--leader-lease=${LEAD_S}s`],
    [Symbol.asyncDispose]: async () => {
      await etcd[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

async function startCluster(): Promise<Place> {
  const deployed = await startDeployedCluster();
  const { apiserver } = deployed.cluster;
  return {
    flags: [
      `--kubeconfig=${deployed.kubeconfig}`,
      "--store=kubernetes",
      `--leader-lease=${LEAD_S}s`,
    ],
    outage: { begin: () => apiserver.kill(), end: () => apiserver.start() },
    [Symbol.asyncDispose]: () => deployed[Symbol.asyncDispose](),
  };
}

/** All clients ask at once; those whose answer is lost ask the next life for the same. */
async function registerThroughKill(place: Place): Promise<Map<string, string>> {
  const told = new Map<string, string>();
  const clients = Array.from({ length: CLIENTS }, () => randomUUID());
  const register = async (life: Life, uuid: string): Promise<void> => {
    const [status, shown] = await life.ask("POST", "/registrations", { class: "lab", uuid });
    assert.ok(status === 201 || status === 200, JSON.stringify(shown));
    told.set(uuid, String(shown["address"]));
  };
  {
    await using life = await startLife(place);
    const [made, { uuid: lab }] = await life.ask("POST", "/classes", CLASS);
    assert.equal(made, 201);
    await life.ask("POST", "/netblocks", { class: lab, range: "10.9.0.0/24" });
    for (const uuid of clients.slice(0, ANSWERS)) await register(life, uuid);
    const open = clients.slice(ANSWERS).map((uuid) => register(life, uuid));
    await Promise.race(open);
    await life.kill();
    await Promise.allSettled(open);
  }
  await using life = await startLife(place);
  const before = new Map(told);
  await Promise.all(clients.map((uuid) => register(life, uuid)));
  for (const [uuid, address] of before) assert.equal(told.get(uuid), address);
  assert.equal(new Set(told.values()).size, CLIENTS, "no address was told to two");
  await life.kill();
  return told;
}

async function startLife({ flags }: Place): Promise<Life> {
  const ports = ["admin", "agents", "metrics", "rest"].map((at) => `--listen-${at}=127.0.0.1:0`);
  const args = [...ports, ...flags, "--insecure"];
  const running: SpokenProgram = startSpoken(program("fairlead-controller"), args);
  const [, rest = ""] = await running.until(/REST is served.*rest=(\S+)/);
  const [, metrics = ""] = await running.until(/ serves .*metrics=(\S+)/);
  const life: Life = {
    ask: async (method, path, body) => {
      const headers = { "content-type": "application/json" };
      const sent = body === undefined ? {} : { body: JSON.stringify(body), headers };
      const answer = await fetch(`http://${rest}/ipam/v1${path}`, { method, ...sent });
      const text = await answer.text();
      return [answer.status, text === "" ? {} : (JSON.parse(text) as Shown)];
    },
    samples: async (name) => {
      const page = await (await fetch(`http://${metrics}/metrics`)).text();
      const found = parseMetricsPage(page).get(name)?.samples ?? [];
      return found.map(({ labels, value }) => [...Object.values(labels), value].join(" "));
    },
    kill: async () => {
      running.kill("SIGKILL");
      await running.exit;
    },
    [Symbol.asyncDispose]: () => running[Symbol.asyncDispose](),
  };
  await untilAnswers(life);
  return life;
}

/** Whoever was killed leads for some time yet. */
async function untilAnswers(life: Life): Promise<void> {
  const endMs = clock.nowMs() + ANSWERS_MS_MAX;
  for (;;) {
    const [status, { detail }] = await life.ask("GET", "/classes");
    if (status !== 503) return;
    assert.ok(clock.nowMs() < endMs, `it does not answer: ${String(detail)}`);
    await clock.sleep(50);
  }
}
