// The IPAM service of a real controller that is killed between any two words of its clients: what
// one of them was told stays true, a question that was not answered is asked again, and a release
// is one. That time takes registrations back is told on a fake clock, beside the service.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { parseMetricsPage } from "./stage/metrics-page.ts";
import { type SpokenProgram, startSpoken } from "./stage/spoken-program.ts";
import { program } from "./stage/stage.ts";

const CLIENTS = 40;
/** Answers before the first kill, while the others still wait for theirs. */
const ANSWERS = 5;

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

test("what the IPAM service said stays true over kill -9 of the controller", async () => {
  const folder = mkdtempSync(join(tmpdir(), "fairlead-ipam-"));
  mkdirSync(join(folder, "manifests"));
  try {
    const told = await registerThroughKill(folder);
    const [gone = "", renewed = ""] = told.keys();
    {
      await using life = await startLife(folder);
      const [status, { expires }] = await life.ask("POST", `/registrations/${renewed}/renew`);
      assert.equal(status, 200);
      assert.ok(Date.parse(String(expires)) > Date.now());
      assert.deepEqual(await life.ask("DELETE", `/registrations/${gone}`), [204, {}]);
      await life.kill();
    }
    await using life = await startLife(folder);
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
    const back = await life.ask("POST", "/registrations", { class: "lab", uuid: gone });
    assert.deepEqual([back[0], back[1]["address"]], [201, address]);

    assert.deepEqual(await life.samples("fairlead_ipam_addresses"), [
      `lab ipv4 held ${CLIENTS + 1}`,
      "lab ipv4 resting 0",
      `lab ipv4 free ${256 - CLIENTS - 1}`,
    ]);
    const refusals = await life.samples("fairlead_ipam_refusals_total");
    assert.ok(refusals.includes("UnknownRegistration 1"), refusals.join());
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

/** All clients ask at once; those whose answer is lost ask the next life for the same. */
async function registerThroughKill(folder: string): Promise<Map<string, string>> {
  const told = new Map<string, string>();
  const clients = Array.from({ length: CLIENTS }, () => randomUUID());
  const register = async (life: Life, uuid: string): Promise<void> => {
    const [status, shown] = await life.ask("POST", "/registrations", { class: "lab", uuid });
    assert.ok(status === 201 || status === 200, JSON.stringify(shown));
    told.set(uuid, String(shown["address"]));
  };
  {
    await using life = await startLife(folder);
    const [made, { uuid: lab }] = await life.ask("POST", "/classes", { name: "lab" });
    assert.equal(made, 201);
    await life.ask("POST", "/netblocks", { class: lab, range: "10.9.0.0/24" });
    for (const uuid of clients.slice(0, ANSWERS)) await register(life, uuid);
    const open = clients.slice(ANSWERS).map((uuid) => register(life, uuid));
    await Promise.race(open);
    await life.kill();
    await Promise.allSettled(open);
  }
  await using life = await startLife(folder);
  const before = new Map(told);
  await Promise.all(clients.map((uuid) => register(life, uuid)));
  for (const [uuid, address] of before) assert.equal(told.get(uuid), address);
  assert.equal(new Set(told.values()).size, CLIENTS, "no address was told to two");
  await life.kill();
  return told;
}

async function startLife(folder: string): Promise<Life> {
  const ports = ["admin", "agents", "metrics", "rest"].map((at) => `--listen-${at}=127.0.0.1:0`);
  const places = [`--source=${join(folder, "manifests")}`, `--state-dir=${join(folder, "state")}`];
  const args = [...ports, ...places, "--insecure"];
  const running: SpokenProgram = startSpoken(program("fairlead-controller"), args);
  const [, rest = ""] = await running.until(/REST is served.*rest=(\S+)/);
  const [, metrics = ""] = await running.until(/ serves .*metrics=(\S+)/);
  return {
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
}
