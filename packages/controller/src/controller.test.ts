// A controller in this process, on real sockets and a real folder, asked as the command line asks.

import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, test } from "node:test";

import {
  type Clock,
  type HostPort,
  createLogger,
  createSystemClock,
  formatHostPort,
  isEdgeError,
} from "@fairlead/runtime";
import { createMemoryMedium, createMemoryStore, makePool } from "@fairlead/testkit";
import type { ListResponse } from "@fairlead/wire";

import { askAdmin } from "./ask-admin.ts";
import { type ControllerOptions, type RunningController, runController } from "./controller.ts";
import { sampleSettings } from "./sample-settings.ts";
import type { ControllerSettings } from "./settings.ts";

const SPEED = 20;
const LOOPBACK: HostPort = { host: "127.0.0.1", port: 0 };

const MANIFEST = `
apiVersion: v1
kind: Service
metadata: { name: web }
spec:
  type: LoadBalancer
  ports: [{ port: 80 }]
`;

interface Stage extends Disposable {
  readonly folder: string;
  readonly settings: ControllerSettings;
  readonly statePath: string;
}

function makeStage(changes: Partial<ControllerSettings> = {}): Stage {
  const root = mkdtempSync(join(tmpdir(), "fairlead-controller-"));
  const folder = join(root, "manifests");
  mkdirSync(folder);
  writeFileSync(join(folder, "web.yaml"), MANIFEST);
  const statePath = join(root, "state", "store.db");
  const settings = sampleSettings({
    source: { kind: "folder", folder },
    pools: [makePool("lan", "192.0.2.100-192.0.2.109")],
    store: { kind: "sqlite", path: statePath },
    leaderLeaseMs: 15_000,
    rest: {
      listen: LOOPBACK,
      ipamPath: join(root, "state", "store.ipam.db"),
      ipamLeaseMs: 60_000,
      ipamGraceMs: 60_000,
    },
    ...changes,
  });
  return {
    folder,
    settings,
    statePath,
    [Symbol.dispose]: () => rmSync(root, { recursive: true, force: true }),
  };
}

function start(
  settings: ControllerSettings,
  changes: Partial<ControllerOptions> = {},
): Promise<RunningController> {
  return runController({
    settings,
    clock: fastClock(),
    log: createLogger({ level: "silent", format: "text" }),
    onFailed: () => undefined,
    ...changes,
  });
}

/** Time that passes twenty times as fast, so that no test waits for agents that never come. */
function fastClock(): Clock {
  const clock = createSystemClock();
  const setTimer: Clock["setTimer"] = (delayMs, run) => clock.setTimer(delayMs / SPEED, run);
  return {
    nowMs: () => clock.nowMs() * SPEED,
    wallMs: () => clock.wallMs(),
    setTimer,
    sleep: (delayMs, signal) => clock.sleep(delayMs / SPEED, signal),
  };
}

/** Asks until the answer is right; each wait is a cycle of the controller, never a fixed sleep. */
async function listUntil(
  controller: RunningController,
  isRight: (list: ListResponse) => boolean,
): Promise<ListResponse> {
  const deadlineMs = performance.now() + 10_000;
  for (;;) {
    const answer = await askAdmin(controller.adminAt).list();
    if (isRight(answer)) return answer;
    assert.ok(performance.now() < deadlineMs, "the controller gets there in time");
    await controller.cycle.settled();
  }
}

const isPlanned = (list: ListResponse): boolean => list.controller?.ready === true;

suite("a controller", () => {
  test("answers lists and explanations of what stands in its folder", async () => {
    using stage = makeStage();
    await using controller = await start(stage.settings);
    const list = await listUntil(controller, isPlanned);
    assert.deepEqual(
      list.claims.map(({ id, state, main }) => [id, state, main?.reason]),
      [["service/default/web", "pending", "NoAgents"]],
    );
    const chain = await askAdmin(controller.adminAt).explain("web");
    assert.equal(chain.title, "Service default/web");
    assert.equal(chain.steps.length, 9);
    // A plan is told to those who ask before it is written.
    await controller.cycle.settled();
    const status = readFileSync(join(stage.folder, ".status", "default.web.yaml"), "utf8");
    assert.match(status, /NoAgents/);
  });

  test("serves metrics that say the same, and is ready once it has planned", async () => {
    using stage = makeStage();
    await using controller = await start(stage.settings);
    const { metricsAt } = controller;
    assert.ok(metricsAt !== undefined);
    const get = async (
      path: string,
    ): Promise<{ readonly status: number; readonly text: string }> => {
      const response = await fetch(`http://${formatHostPort(metricsAt)}${path}`);
      return { status: response.status, text: await response.text() };
    };
    assert.equal((await get("/healthz")).status, 200);
    await listUntil(controller, isPlanned);
    assert.equal((await get("/readyz")).status, 200);
    const { text } = await get("/metrics");
    for (const line of [
      'fairlead_services{state="pending",reason="NoAgents"} 1',
      'fairlead_services{state="ready",reason=""} 0',
      'fairlead_agents{state="connected"} 0',
      'fairlead_pool_addresses{pool="lan",family="ipv4"} 10',
      'fairlead_pool_addresses_allocated{pool="lan",family="ipv4",state="held"} 1',
      'fairlead_agent_plans{state="behind"} 0',
      "fairlead_leader_epoch 1",
      "fairlead_store_rows_written_total 1",
    ]) {
      assert.ok(text.includes(`${line}\n`), `${line} in\n${text}`);
    }
    assert.match(text, /^fairlead_plan_duration_seconds_count [1-9]/mu);
    assert.match(text, /^# TYPE fairlead_vip_move_gap_seconds histogram$/mu);
  });

  test("gives the same address after a restart, in the next epoch", async () => {
    using stage = makeStage();
    const addressOf = async (): Promise<readonly (string | undefined)[]> => {
      await using controller = await start(stage.settings);
      const { claims, controller: row } = await listUntil(controller, isPlanned);
      return [`${row?.epoch}`, claims[0]?.addresses[0]?.address];
    };
    assert.deepEqual(await addressOf(), ["1", "192.0.2.100"]);
    writeFileSync(
      join(stage.folder, "earlier.yaml"),
      MANIFEST.replace("web", "api").replace(
        "{ name",
        "{ creationTimestamp: 2020-01-01T00:00:00Z, name",
      ),
    );
    assert.deepEqual((await addressOf())[0], "2");
    await using controller = await start(stage.settings);
    const { claims } = await listUntil(controller, isPlanned);
    const held = claims.map(({ name, addresses }) => `${name} ${addresses[0]?.address}`);
    assert.deepEqual(held, ["api 192.0.2.101", "web 192.0.2.100"]);
  });

  test("gives addresses over REST, and the same ones after a restart", async () => {
    using stage = makeStage();
    const block = { class: "lab", range: "192.0.2.0/30" };
    const wish = { class: "lab", uuid: "d0000000-0000-4000-8000-000000000001" };
    {
      await using controller = await start(stage.settings);
      await post(controller, "classes", { name: "lab" });
      await post(controller, "netblocks", block);
      const { address } = await post(controller, "registrations", wish);
      assert.equal(address, "192.0.2.0");
    }
    await using controller = await start(stage.settings);
    const { address } = await post(controller, "registrations", wish);
    assert.equal(address, "192.0.2.0");
  });

  test("runs on ports that a caller brings along", async () => {
    using stage = makeStage({ listenMetrics: undefined });
    const medium = createMemoryMedium();
    const ports = { store: createMemoryStore({ medium }), publishers: [] };
    await using controller = await start(stage.settings, { ports });
    await listUntil(controller, isPlanned);
    assert.equal(medium.leases.size, 1);
    assert.equal(controller.metricsAt, undefined);
    assert.equal(controller.ready().ok, true);
  });

  test("says when another controller takes its store over", async () => {
    using stage = makeStage();
    const medium = createMemoryMedium();
    const failed = Promise.withResolvers<Error>();
    const ports = { store: createMemoryStore({ medium }) };
    await using controller = await start(stage.settings, { ports, onFailed: failed.resolve });
    await listUntil(controller, isPlanned);
    await createMemoryStore({ medium }).open();
    writeFileSync(join(stage.folder, "api.yaml"), MANIFEST.replace("web", "api"));
    const error = await failed.promise;
    assert.ok(isEdgeError(error, "FENCED"));
    assert.match(error.message, /another controller took epoch 2/);
    assert.equal(controller.ready().ok, false);
  });
});

suite("a controller that cannot start leaves nothing behind", () => {
  test("when its store is in use", async () => {
    using stage = makeStage();
    await using first = await start(stage.settings);
    await assert.rejects(start(stage.settings), (error) => isEdgeError(error, "BUSY"));
    await listUntil(first, isPlanned);
  });

  const places: Readonly<Record<string, (at: HostPort, own: ControllerSettings) => object>> = {
    agents: (listenAgents) => ({ listenAgents }),
    admin: (listenAdmin) => ({ listenAdmin }),
    metrics: (listenMetrics) => ({ listenMetrics }),
    rest: (listen, { rest }) => ({ rest: rest && { ...rest, listen } }),
  };
  for (const [place, listening] of Object.entries(places)) {
    test(`when another program holds the port of ${place}`, async () => {
      using stage = makeStage();
      const squatter = createServer();
      await new Promise<void>((resolve) => squatter.listen(0, "127.0.0.1", resolve));
      const address = squatter.address();
      assert.ok(address !== null && typeof address === "object");
      const at = { host: "127.0.0.1", port: address.port };
      const taken = { ...stage.settings, ...listening(at, stage.settings) };
      await assert.rejects(start(taken), (error) => {
        assert.ok(isEdgeError(error, "PORT_TAKEN"), String(error));
        assert.match(error.message, new RegExp(`127.0.0.1:${address.port} of --listen-${place}: `));
        return true;
      });
      squatter.close();
      // The store, the sources and the other ports are free again.
      await using next = await start(stage.settings);
      await listUntil(next, isPlanned);
    });
  }

  test("when its folder is none", async () => {
    using stage = makeStage();
    const source = { kind: "folder", folder: join(stage.folder, "web.yaml") } as const;
    await assert.rejects(start({ ...stage.settings, source }), (error) =>
      isEdgeError(error, "NOT_A_FOLDER"),
    );
  });
});

async function post(
  { restAt }: RunningController,
  what: string,
  body: object,
): Promise<Readonly<Record<string, unknown>>> {
  assert.ok(restAt !== undefined, "REST is served");
  const answer = await fetch(`http://${formatHostPort(restAt)}/ipam/v1/${what}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  return (await answer.json()) as Readonly<Record<string, unknown>>;
}
