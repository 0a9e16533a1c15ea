// Two controllers over one real etcd, each with REST on a real socket: one answers, the other names
// it, and who was told an address has it by the successor's word as well.

import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { startEtcdCluster } from "@fairlead/lab";
import { type HostPort, createLogger, createSystemClock, formatHostPort } from "@fairlead/runtime";

import { toolPath } from "../../../test/tools/tool-path.ts";
import { type RunningController, runController } from "./controller.ts";
import { readEtcdUrls } from "./etcd/etcd-access.ts";
import { sampleSettings } from "./sample-settings.ts";
import type { ControllerSettings } from "./settings.ts";

const LOOPBACK: HostPort = { host: "127.0.0.1", port: 0 };
const WAIT_MS_MAX = 20_000;
const WISH = { class: "lab", uuid: "d0000000-0000-4000-8000-000000000001" };
const OTHER = { class: "lab", uuid: "d0000000-0000-4000-8000-000000000002" };

test("one controller of two answers REST, and the next one goes on with what it gave", async () => {
  const folder = mkdtempSync(join(tmpdir(), "fairlead-shared-"));
  await using etcd = await startEtcdCluster({ program: toolPath("etcd", "server") });
  try {
    const settings = settingsFor(folder, etcd.urls);
    await using second = await (async () => {
      await using first = await start(settings);
      await until(first, "classes", { name: "lab" });
      await until(first, "netblocks", { class: "lab", range: "192.0.2.0/30" });
      const told = await until(first, "registrations", WISH);
      assert.equal(told.json["address"], "192.0.2.0");
      const standby = await start(settings);
      for (const answer of [
        await ask(standby, "registrations", OTHER),
        await ask(standby, `registrations/${WISH.uuid}`),
        await ask(standby, "addresses"),
      ]) {
        const { status, json } = answer;
        assert.deepEqual([status, json["code"]], [503, "NotLeading"]);
        const leader = first.cycle.view().lead.holder ?? "";
        assert.equal(json["detail"], `this controller does not lead; ${leader} does`);
      }
      assert.match(await metricsOf(first), /fairlead_ipam_registrations\{class="lab"\} 1/);
      assert.doesNotMatch(await metricsOf(standby), /fairlead_ipam_registrations\{/);
      return standby;
    })();
    const again = await until(second, "registrations", WISH);
    assert.deepEqual([again.status, again.json["address"]], [200, "192.0.2.0"]);
    const other = await until(second, "registrations", OTHER);
    assert.deepEqual([other.status, other.json["address"]], [201, "192.0.2.1"]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

function settingsFor(root: string, urls: readonly string[]): ControllerSettings {
  const folder = join(root, "manifests");
  mkdirSync(folder);
  const read = readEtcdUrls(`etcd:${urls.join(",")}`);
  assert.ok(read.kind === "ok");
  return sampleSettings({
    source: { kind: "folder", folder },
    store: { kind: "etcd", access: read.access, base: "/fairlead" },
    rest: { listen: LOOPBACK, ipamPath: undefined, ipamLeaseMs: 60_000, ipamGraceMs: 60_000 },
  });
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

interface Told {
  readonly status: number;
  readonly json: Readonly<Record<string, unknown>>;
}

async function ask({ restAt }: RunningController, what: string, body?: object): Promise<Told> {
  assert.ok(restAt !== undefined, "REST is served");
  const headers = { "content-type": "application/json" };
  const sent = body === undefined ? {} : { method: "POST", headers, body: JSON.stringify(body) };
  const answer = await fetch(`http://${formatHostPort(restAt)}/ipam/v1/${what}`, sent);
  return { status: answer.status, json: (await answer.json()) as Told["json"] };
}

/** Asks, as clients do, until it is done. */
async function until(controller: RunningController, what: string, body: object): Promise<Told> {
  const deadlineMs = performance.now() + WAIT_MS_MAX;
  for (;;) {
    const told = await ask(controller, what, body);
    if (told.status !== 503) return told;
    assert.ok(performance.now() < deadlineMs, JSON.stringify(told.json));
  }
}

async function metricsOf({ metricsAt }: RunningController): Promise<string> {
  assert.ok(metricsAt !== undefined, "metrics are served");
  return await (await fetch(`http://${formatHostPort(metricsAt)}/metrics`)).text();
}
