// One controller takes the addresses of its pool from the IPAM service of another one, and both are
// killed in the middle of it: in the end the service has one registration for each Service, and
// none for those that are gone. What the times are is told on a fake clock, beside the registrar.

import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";

import { parseMetricsPage } from "./stage/metrics-page.ts";
import { type SpokenProgram, startSpoken } from "./stage/spoken-program.ts";
import { program } from "./stage/stage.ts";

const SERVICES = 30;
/** Registrations before the first kill, while the others are under way. */
const ANSWERS = 3;
const WAIT_MS_MAX = 30_000;
const LOOK_MS = 50;

test("a pool of another controller's IPAM leaks nothing over kill -9 of either", async () => {
  await using stage = createStage();
  await stage.startIpam();
  await stage.ask("POST", "/classes", { name: "lab" });
  await stage.ask("POST", "/netblocks", { class: "lab", range: "10.9.0.0/26" });
  for (let n = 1; n <= SERVICES; n += 1) stage.write(`s${n}`);
  await stage.startClient();
  await stage.until("some are registered", async () => (await stage.dump()).size >= ANSWERS);
  await stage.kill("client");
  await stage.startClient();
  await stage.kill("ipam");
  await stage.until("the outage is noticed", async () => (await stage.reachable()) === 0);
  await stage.startIpam();
  await stage.until("all are served", async () => (await stage.held()) === SERVICES);
  const first = await stage.dump();
  assert.equal(first.size, SERVICES, "one registration for each Service");
  assert.equal(new Set(first.values()).size, SERVICES, "and no address twice");

  // While it is away what it gave stays, and what goes and comes is made up for later.
  await stage.kill("ipam");
  await stage.until("the outage is noticed", async () => (await stage.reachable()) === 0);
  assert.equal(await stage.held(), SERVICES);
  await stage.kill("client");
  await stage.startClient();
  stage.remove("s1");
  stage.remove("s2");
  stage.write("late");
  await stage.startIpam();
  await stage.until("what was let go is given back", async () => {
    const now = await stage.dump();
    return now.size === SERVICES - 1 && (await stage.held()) === SERVICES - 1;
  });
  const kept = [...(await stage.dump())].filter(([uuid, at]) => first.get(uuid) === at).length;
  assert.ok(kept >= SERVICES - 2, `${kept} are registered as they were`);
});

type Role = "ipam" | "client";
type Shown = Readonly<Record<string, unknown>>;

interface Stage extends AsyncDisposable {
  /** Starts it where it was before. */
  startIpam(): Promise<void>;
  startClient(): Promise<void>;
  /** kill -9 */
  kill(role: Role): Promise<void>;
  ask(method: string, path: string, body?: object): Promise<Shown>;
  /** From uuid to address. */
  dump(): Promise<ReadonlyMap<string, string>>;
  /** Addresses that the client's Services hold. */
  held(): Promise<number>;
  /** What the client says of the IPAM. */
  reachable(): Promise<number>;
  /** A Service of this name. */
  write(name: string): void;
  remove(name: string): void;
  until(what: string, isSo: () => Promise<boolean>): Promise<void>;
}

function createStage(): Stage {
  const folder = mkdtempSync(join(tmpdir(), "fairlead-external-"));
  const running = new Map<Role, SpokenProgram>();
  let rest = "127.0.0.1:0";
  let metrics = "";
  for (const name of ["none", "manifests"]) mkdirSync(join(folder, name));

  const start = (role: Role, args: readonly string[]): SpokenProgram => {
    const ports = ["admin", "agents", "metrics"].map((at) => `--listen-${at}=127.0.0.1:0`);
    const state = `--state-dir=${join(folder, role)}`;
    const own = startSpoken(program("fairlead-controller"), [
      ...ports,
      state,
      "--insecure",
      ...args,
    ]);
    running.set(role, own);
    return own;
  };
  const sum = async (family: string, isMeant: (labels: Shown) => boolean): Promise<number> => {
    const page = await (await fetch(`http://${metrics}/metrics`)).text();
    const samples = parseMetricsPage(page).get(family)?.samples ?? [];
    return samples
      .filter(({ labels }) => isMeant(labels))
      .reduce((total, { value }) => total + Number(value), 0);
  };
  const stage: Stage = {
    startIpam: async () => {
      const source = `--source=${join(folder, "none")}`;
      const own = start("ipam", [source, `--listen-rest=${rest}`]);
      [, rest = ""] = await own.until(/REST is served.*rest=(\S+)/);
    },
    startClient: async () => {
      const external = { url: `http://${rest}`, class: "lab", renew: "1s" };
      const pools = [{ name: "office", quarantine: "0s", external }];
      const config = join(folder, "client.yaml");
      writeFileSync(config, JSON.stringify({ pools }));
      const source = `--source=${join(folder, "manifests")}`;
      const own = start("client", [source, `--config=${config}`, "--listen-rest=127.0.0.1:0"]);
      [, metrics = ""] = await own.until(/ serves .*metrics=(\S+)/);
    },
    kill: async (role) => {
      running.get(role)?.kill("SIGKILL");
      await running.get(role)?.exit;
    },
    ask: async (method, path, body) => {
      const headers = { "content-type": "application/json" };
      const sent = body === undefined ? {} : { body: JSON.stringify(body), headers };
      const answer = await fetch(`http://${rest}/ipam/v1${path}`, { method, ...sent });
      assert.ok(answer.ok, `${method} ${path}: ${answer.status}`);
      return (await answer.json()) as Shown;
    },
    dump: async () => {
      const { addresses } = await stage.ask("GET", "/addresses");
      return new Map(Object.entries(addresses as Record<string, string>));
    },
    held: () => sum("fairlead_pool_addresses_allocated", ({ state }) => state === "held"),
    reachable: () => sum("fairlead_external_pool_reachable", ({ pool }) => pool === "office"),
    write: (name) => writeFileSync(join(folder, "manifests", `${name}.yaml`), manifest(name)),
    remove: (name) => rmSync(join(folder, "manifests", `${name}.yaml`)),
    until: async (what, isSo) => {
      const endMs = Date.now() + WAIT_MS_MAX;
      while (!(await isSo())) {
        assert.ok(
          Date.now() < endMs,
          `${what}; the client said:\n${running.get("client")?.words()}`,
        );
        await pause(LOOK_MS);
      }
    },
    [Symbol.asyncDispose]: async () => {
      for (const own of running.values()) await own[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  return stage;
}

function manifest(name: string): string {
  const metadata = { name, namespace: "default" };
  const spec = { type: "LoadBalancer", ports: [{ port: 80, targetPort: 8080 }] };
  return JSON.stringify({ apiVersion: "v1", kind: "Service", metadata, spec });
}
