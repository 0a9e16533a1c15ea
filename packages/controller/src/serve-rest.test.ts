// The IPAM service as a program that is killed again and again while clients ask it, on a real file
// and a real socket: what a client was told stays true, and nothing is given twice or lost.

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";

import { present } from "@fairlead/model";

import { randomUuid } from "./ipam/ipam-model.ts";

const CLIENTS = 200;
/** Answers that clients get before each kill; the last life is not cut short. */
const ANSWERS_BEFORE_KILL = [1, 60];
const AT_ONCE = 16;

test("kill -9 over 200 registrations: none twice, none lost, none leaked", async () => {
  const folder = mkdtempSync(join(tmpdir(), "fairlead-kill-"));
  try {
    const told = new Map<string, string>();
    const uuids = Array.from({ length: CLIENTS }, () => randomUuid());
    for (const answers of [...ANSWERS_BEFORE_KILL, Infinity]) {
      await using service = await startService(join(folder, "ipam.db"));
      await service.post("classes", { uuid: LAB, name: "lab" });
      await service.post("netblocks", { uuid: BLOCK, class: "lab", range: "10.0.0.0/24" });
      const waiting = uuids.filter((uuid) => !told.has(uuid));
      let left = answers;
      await inParallel(waiting, async (uuid) => {
        const address = await service.register(uuid);
        if (address === undefined) return;
        told.set(uuid, address);
        left -= 1;
        if (left === 0) service.kill();
      });
    }
    assert.equal(told.size, CLIENTS);
    assert.equal(new Set(told.values()).size, CLIENTS, "no address was told to two");
    await using service = await startService(join(folder, "ipam.db"));
    const { addresses } = await service.get("addresses");
    assert.deepEqual(addresses, Object.fromEntries([...told].toSorted(byUuid)));
    assert.equal((await service.get(`netblocks/${BLOCK}`))["held"], CLIENTS);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

const LAB = "c0000000-0000-4000-8000-000000000001";
const BLOCK = "b0000000-0000-4000-8000-000000000001";

function byUuid([a]: readonly [string, string], [b]: readonly [string, string]): number {
  return a < b ? -1 : 1;
}

type Shown = Readonly<Record<string, unknown>>;

interface Service extends AsyncDisposable {
  kill(): void;
  get(path: string): Promise<Shown>;
  post(path: string, body: object): Promise<Shown>;
  /** Undefined when nobody answers any more. */
  register(uuid: string): Promise<string | undefined>;
}

async function startService(path: string): Promise<Service> {
  const script = ["--input-type=module", "-e", SERVES, path, ...MODULES];
  const child: ChildProcess = spawn(process.execPath, script, {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const closed = once(child, "close");
  const lines = createInterface({ input: present(child.stdout, "stdout is a pipe") });
  const [port] = (await once(lines, "line", { signal: AbortSignal.timeout(60_000) })) as [string];
  const ask = async (to: string, init?: RequestInit): Promise<Shown> => {
    const answer = await fetch(`http://127.0.0.1:${port}/ipam/v1/${to}`, init);
    const shown = (await answer.json()) as Shown;
    assert.ok(answer.ok, JSON.stringify(shown));
    return shown;
  };
  const post = async (to: string, body: object): Promise<Shown> => {
    const headers = { "content-type": "application/json" };
    return await ask(to, { method: "POST", headers, body: JSON.stringify(body) });
  };
  let isKilled = false;
  return {
    kill: () => {
      isKilled = true;
      child.kill("SIGKILL");
    },
    get: (to) => ask(to),
    post,
    register: async (uuid) => {
      try {
        return String((await post("registrations", { class: "lab", uuid }))["address"]);
      } catch (error) {
        if (!isKilled) throw error;
        return undefined;
      }
    },
    [Symbol.asyncDispose]: async () => {
      child.kill("SIGKILL");
      await closed;
    },
  };
}

async function inParallel<T>(items: readonly T[], run: (item: T) => Promise<void>): Promise<void> {
  const left = [...items];
  const work = async (): Promise<void> => {
    for (let item = left.pop(); item !== undefined; item = left.pop()) await run(item);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}

const MODULES = ["./serve-rest.ts", "@fairlead/runtime"].map((one) => import.meta.resolve(one));

/** Serves, and prints the port. */
const SERVES = `
const [path, ...modules] = process.argv.slice(1);
const [{ serveRest }, runtime] = await Promise.all(modules.map((one) => import(one)));
const clock = runtime.createSystemClock();
const address = await serveRest({
  settings: {
    listen: { host: "127.0.0.1", port: 0 },
    ipamPath: path,
    ipamLeaseMs: 3600000,
    ipamGraceMs: 3600000,
  },
  clock,
  metrics: runtime.createMetrics({ program: "test", version: "0" }),
  log: runtime.createLogger({ level: "silent", format: "json" }),
  lifecycle: runtime.createLifecycle({ clock, stopMs: 1000, onStopError: () => undefined }),
});
process.stdout.write(address.port + "\\n");
`;
