// A listener whose clients stay for long has a limit, and nginx reloads again and again: workers of
// old generations are ended with what they counted. Given a real nginx under its supervisor.

import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdir } from "node:fs/promises";
import { type Socket, connect, createServer } from "node:net";
import { test } from "node:test";

import type { ServicePlace } from "@fairlead/render";
import { createLogger, createSystemClock } from "@fairlead/runtime";
import { address, inSandbox, listenerOf } from "@fairlead/testkit";

import { dataPlaneLayout } from "../data-plane-layout.ts";
import { supervisorOf } from "../dying-agent.ts";
import type { NginxDaemon } from "../ports.ts";
import { renderedFile, servedOf } from "../rendered-file.ts";
import type { S6Supervisor } from "../supervise/s6.ts";
import type { SupervisedService } from "../supervised.ts";
import { withZoneSince, zoneSinceOf } from "./limit-zone.ts";
import { createNginxDaemon } from "./nginx-daemon.ts";
import { readWorkers } from "./workers.ts";

const SIZE = { workerProcesses: 1, workerConnections: 64 };
const PORT = 8003;
const LIMIT = 3;

interface Stage extends AsyncDisposable {
  readonly supervisor: S6Supervisor;
  /** Another life of the agent; `service` differs from the supervisor's in this. */
  daemon(service?: Partial<SupervisedService>): NginxDaemon;
  /** The file of this generation, which differs from any other. */
  text(generation: string): string;
}

/** An nginx of which two generations may live, with a member that says what is said to it. */
async function stage(name: string): Promise<Stage> {
  const { nginx: layout, runDir } = dataPlaneLayout(`/run/${name}`);
  await mkdir(runDir);
  const supervisor = supervisorOf(runDir);
  await supervisor.ensure();
  const member = createServer((socket) => void socket.on("error", () => {}).pipe(socket));
  await once(member.listen(9001, "127.0.0.1"), "listening");
  const limited = listenerOf(`127.0.0.1:${PORT}/tcp`, ["127.0.0.1:9001"], {
    connectionsMax: LIMIT,
  });
  return {
    supervisor,
    daemon: (service = {}) =>
      createNginxDaemon({
        layout,
        service: { ...supervisor.nginx, ...service },
        program: "/usr/sbin/nginx",
        generationsMax: 2,
        generationKeptMs: 0,
        clock: createSystemClock(),
        logger: createLogger({ level: "silent", format: "json" }),
      }),
    text: (generation) => renderedFile(layout, generation, [servedOf(...limited)], SIZE),
    [Symbol.asyncDispose]: async () => {
      await supervisor.end();
      member.close();
    },
  };
}

/** A client that stays; undefined when nginx closes it at once. */
async function client(): Promise<Socket | undefined> {
  const socket = connect({ host: "127.0.0.1", port: PORT }).on("error", () => {});
  socket.write("hello");
  const { promise, resolve } = Promise.withResolvers<Socket | undefined>();
  socket.once("data", () => resolve(socket)).once("close", () => resolve(undefined));
  return await promise;
}

/** Whether what nginx counts is known to be wrong. */
async function misses(nginx: NginxDaemon): Promise<boolean> {
  return (await nginx.generationsAlive()).some(({ miscounts }) => miscounts === true);
}

/** Has the kernel kill a worker that serves. */
async function killWorker({ supervisor }: Stage): Promise<void> {
  const { pid = 0 } = await supervisor.nginx.state();
  const [worker] = readWorkers(pid);
  assert.ok(worker !== undefined);
  process.kill(worker.pid, "SIGKILL");
}

/** A reload after which each client is the new generation's. */
async function reload(nginx: NginxDaemon, s: Stage, generation: string): Promise<void> {
  // Generations are told apart by when their workers start, and a start waits for nothing.
  while (((await nginx.generationsAlive())[0]?.ageMs ?? 200) < 200) {}
  const outcome = await nginx.apply(s.text(generation), generation);
  assert.deepEqual(outcome, { kind: "applied", reloaded: true });
  await nginx.retired();
}

const PLACE: ServicePlace = { service: address("198.18.1.0"), slots: 24 };
const PLACES: readonly (readonly [string, ServicePlace | undefined])[] = [
  ["in nginx's file", undefined],
  ["in the kernel's table", PLACE],
];

for (const [where, place] of PLACES) {
  test(`with members ${where}, what limits nothing has no zone, else that of the first file`, () => {
    const { nginx: layout } = dataPlaneLayout("/run/text");
    const textOf = (limits: object): string => {
      const pair = listenerOf("127.0.0.1:1/tcp", ["127.0.0.1:2"], limits);
      return renderedFile(layout, "0", [servedOf(...pair, place)], SIZE);
    };
    const text = textOf({ connectionsMax: 5 });
    assert.equal(text.includes("proxy_bind"), place !== undefined);
    assert.equal(zoneSinceOf(textOf({})), undefined);
    assert.equal(zoneSinceOf(text), 0);
    const later = withZoneSince(text, 77);
    assert.equal(zoneSinceOf(later), 77);
    assert.equal(later.replaceAll("_77", ""), text);
    const names = Array.from(later.matchAll(/_77(?=:| 5;)/g));
    assert.equal(names.length, 2, "the zone and who counts in it");
  });
}

inSandbox({ file: import.meta.url, name: "limit-zone" }, () => {
  test("clients of generations that were ended do not count for ever", async () => {
    await using s = await stage("ended");
    const nginx = s.daemon();
    for (let round = 0; round < 3 * LIMIT; round += 1) {
      await reload(nginx, s, `g${round}`);
      assert.ok((await client()) !== undefined, `a client after ${round} reloads`);
    }
  });

  test("clients of a generation that lives on count beside those of the next", async () => {
    await using s = await stage("living");
    const nginx = s.daemon();
    await reload(nginx, s, "g0");
    for (let count = 0; count < LIMIT; count += 1) assert.ok((await client()) !== undefined);
    await reload(nginx, s, "g1");
    assert.equal(await client(), undefined);
  });

  test("clients of a worker that was killed do not count for ever", async () => {
    await using s = await stage("killed");
    const nginx = s.daemon();
    await reload(nginx, s, "g0");
    for (let count = 0; count < LIMIT; count += 1) assert.ok((await client()) !== undefined);
    assert.equal(await misses(nginx), false);
    await killWorker(s);
    while (!(await misses(nginx))) {}
    // What is in force is handed over again by each pass.
    const outcome = await nginx.apply(s.text("g0"), "g0");
    assert.deepEqual(outcome, { kind: "applied", reloaded: true });
    await nginx.retired();
    assert.ok((await client()) !== undefined);
    assert.equal(await misses(nginx), false);
    const again = await nginx.apply(s.text("g0"), "g0");
    assert.deepEqual(again, { kind: "applied", reloaded: false });
  });

  test("clients of a worker that was killed amid a reload do not count for ever", async () => {
    await using s = await stage("amid");
    let isShort = false;
    const nginx = s.daemon({
      reload: async () => {
        // Memory runs out as the new workers come.
        if (isShort) {
          await killWorker(s);
          while (!(await misses(nginx))) {}
        }
        await s.supervisor.nginx.reload();
      },
    });
    await reload(nginx, s, "g0");
    for (let count = 0; count < LIMIT; count += 1) assert.ok((await client()) !== undefined);
    assert.equal(await misses(nginx), false);
    isShort = true;
    await reload(nginx, s, "g1");
    isShort = false;
    assert.equal(await client(), undefined);
    assert.equal(await misses(nginx), true);
    await reload(nginx, s, "g1");
    assert.ok((await client()) !== undefined);
    assert.equal(await misses(nginx), false);
  });

  test("workers that were killed before their master leave nothing to the next one", async () => {
    await using s = await stage("master");
    const nginx = s.daemon();
    await reload(nginx, s, "g0");
    assert.equal(await misses(nginx), false);
    const { pid: master = 0 } = await s.supervisor.nginx.state();
    const mark = await s.supervisor.nginx.log.mark();
    await killWorker(s);
    const said = async (): Promise<string> => (await s.supervisor.nginx.log.since(mark)).join();
    while (!(await said()).includes("exited on signal 9")) {}
    process.kill(master, "SIGKILL");
    while ([undefined, master].includes((await s.supervisor.nginx.state()).pid)) {}
    while ((await nginx.generation()) !== "g0") {}
    assert.equal(await misses(nginx), false);
    assert.deepEqual(await nginx.apply(s.text("g0"), "g0"), { kind: "applied", reloaded: false });
  });

  test("the next agent finds that its file is in force, whatever zone it counts in", async () => {
    await using s = await stage("next");
    const nginx = s.daemon();
    for (const generation of ["g0", "g1", "g2"]) {
      await reload(nginx, s, generation);
      assert.ok((await client()) !== undefined);
    }
    const outcome = await s.daemon().apply(s.text("g2"), "g2");
    assert.deepEqual(outcome, { kind: "applied", reloaded: false });
  });
});
