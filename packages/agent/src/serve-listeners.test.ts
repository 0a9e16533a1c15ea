// Ports that other processes have, with a real nginx: one that is taken between the probe and the
// reload, where nginx passes its own check and keeps the old file without a word, and one among a
// thousand. The listener is refused by name, everything else is served.

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readFile } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";

import { present } from "@fairlead/model";
import { createTemplates, renderNginx } from "@fairlead/render";
import { acceptedPlan, inSandbox, listenerOf } from "@fairlead/testkit";

import { NOTHING_APPLIED, type ServedListener, withGeneration } from "./applied.ts";
import { dataPlaneLayout } from "./data-plane-layout.ts";
import { daemonOf, supervisorOf } from "./dying-agent.ts";
import { generationId } from "./generation-id.ts";
import { nginxParts } from "./nginx-parts.ts";
import type { PortProbe } from "./ports.ts";
import { createPortProbe } from "./ports-probe/port-probe.ts";
import { serveListeners } from "./serve-listeners.ts";
import type { ServeOptions, ServeResult } from "./serve-options.ts";
import type { S6Supervisor } from "./supervise/s6.ts";

/** The pass ends, which is when it is reported, within this: nginx tries a port for 2.5 s. */
const TAKEN_MS_MAX = 3000;
const MEMBER = "127.0.0.1:9001";
/** A client that asked without a pause would keep this process from its own work. */
const ASKS_EVERY_MS = 5;
/** Of the thousand ports the one that another process has. */
const TAKEN = 20_700;

function served(port: number): ServedListener {
  const [listener, members] = listenerOf(`127.0.0.1:${port}/tcp`, [MEMBER]);
  const { revisions } = acceptedPlan("a", [listener, members]);
  const revision = revisions.get(listener.name);
  const membersRevision = revisions.get(members.name);
  assert.ok(revision !== undefined && membersRevision !== undefined);
  return { listener, members, revision, membersRevision };
}

async function answers(port: number): Promise<string> {
  const socket = connect({ host: "127.0.0.1", port });
  const chunks: unknown[] = await once(socket, "data");
  socket.destroy();
  return String(chunks[0]);
}

/** A client that asks these ports in turn until it is ended, and gives what they answered. */
function askOnAndOn(ports: readonly number[]): { end(): Promise<readonly string[]> } {
  let isOver = false;
  const asking = (async () => {
    const heard: string[] = [];
    for (let at = 0; !isOver; at += 1) {
      await pause(ASKS_EVERY_MS);
      const port = present(ports[at % ports.length], "one of them");
      heard.push(await answers(port).catch((error: unknown) => `${port}: ${String(error)}`));
    }
    return heard;
  })();
  const end = (): Promise<readonly string[]> => {
    isOver = true;
    return asking;
  };
  return { end };
}

type Options = ServeOptions & { readonly nowMs: () => number };

/** nginx below `/run`, its supervisor, and a member behind each listener; disposing ends them. */
interface Stage extends AsyncDisposable {
  readonly options: Options;
  readonly supervisor: S6Supervisor;
  /** The file of the TCP instance. */
  readonly config: string;
}

async function stageOf(name: string, probe: PortProbe, connections: number): Promise<Stage> {
  const { nginx, nginxUdp, runDir } = dataPlaneLayout(`/run/${name}`);
  await mkdir(runDir);
  const supervisor = supervisorOf(runDir);
  await supervisor.ensure();
  const member = createServer((socket) => socket.end("member")).listen(9001, "127.0.0.1");
  await once(member, "listening");
  const settings = { workerProcesses: 2, workerConnections: connections };
  const templates = createTemplates();
  const streamModule = "/usr/lib/nginx/modules/ngx_stream_module.so";
  const options: Options = {
    nowMs: () => performance.now(),
    nginx: daemonOf(nginx, supervisor.nginx),
    nginxUdp: daemonOf(nginxUdp, supervisor.nginxUdp),
    nginxRefusals: () => [],
    generationOf: (listeners) => generationId(listeners, ""),
    renderNginx: (listeners, generation) => {
      const { pid, errorLog } = nginx;
      const paths = { streamModule, pid, errorLog, probeSocket: nginx.probeSocket(generation) };
      const own = { ...settings, openFilesMax: 2 * connections, user: "root", paths };
      const { shutdownTimeoutMs, ...parts } = nginxParts(listeners, settings);
      const all = { ...own, shutdownTimeoutMs };
      return renderNginx({ ...parts, generation, settings: all, templates }).text;
    },
    portProbe: probe,
  };
  return {
    options,
    supervisor,
    config: nginx.config,
    [Symbol.asyncDispose]: async () => {
      await supervisor.end();
      member.close();
    },
  };
}

/** Serves exactly these after what was served before. */
async function serve(
  { options }: Stage,
  ports: readonly number[],
  before?: ServeResult,
): Promise<ServeResult> {
  const step = { kind: "serve", protocol: "tcp", listeners: ports.map(served) } as const;
  const applied =
    before === undefined ? NOTHING_APPLIED : withGeneration(NOTHING_APPLIED, "tcp", before);
  return await serveListeners(options, step, applied);
}

inSandbox({ file: import.meta.url, name: "port-taken" }, () => {
  test("a port taken by a wildcard socket after it was tried", async () => {
    const squatter = createServer((socket) => socket.end("squatter"));
    const real = createPortProbe();
    const late: PortProbe = {
      probe: async (listener) => {
        const taken = await real.probe(listener);
        if (listener.port === 8005 && !squatter.listening) {
          squatter.listen(8005, "0.0.0.0");
          await once(squatter, "listening");
        }
        return taken;
      },
    };
    await using stage = await stageOf("taken", late, 64);
    using _ = { [Symbol.dispose]: () => void squatter.close() };
    const first = await serve(stage, [8001]);
    const { pid } = await stage.supervisor.nginx.state();
    const begunMs = performance.now();
    const second = await serve(stage, [8001, 8002, 8005, 8006], first);
    const tookMs = performance.now() - begunMs;
    assert.ok(tookMs < TAKEN_MS_MAX, `the pass took ${Math.round(tookMs)} ms`);
    assert.deepEqual(
      [...second.problems].map(([name, { reason }]) => `${name} ${reason}`),
      ["listener/127.0.0.1/tcp/8005 PortTaken"],
    );
    const [problem] = second.problems.values();
    // The test is the agent's program, and holds the port.
    const holder = /by this agent's own program .+, which listens on 0\.0\.0\.0:8005$/;
    assert.match(problem?.detail ?? "", holder);
    for (const port of [8001, 8002, 8006]) assert.equal(await answers(port), "member");
    assert.equal(await answers(8005), "squatter");
    assert.equal(second.reloads, 1);
    assert.equal((await stage.supervisor.nginx.state()).pid, pid);
    assert.doesNotMatch(await readFile(stage.config, "utf8"), /:8005/);
  });

  test("one of a thousand has another process on its port: 999 serve, and none is lost", async () => {
    await using stage = await stageOf("thousand", createPortProbe(), 4096);
    const ports = Array.from({ length: 1000 }, (_, index) => 20_000 + index);
    const old = ports.slice(0, 500);
    const good = ports.filter((port) => port !== TAKEN);
    const shop = await programOn(TAKEN);
    using _ = { [Symbol.dispose]: () => void shop.kill() };
    const first = await serve(stage, old);
    const { pid } = await stage.supervisor.nginx.state();
    const asking = askOnAndOn(old);
    const begunMs = performance.now();
    const second = await serve(stage, ports, first);
    const tookMs = performance.now() - begunMs;
    const heard = await asking.end();
    assert.ok(tookMs < TAKEN_MS_MAX, `the pass took ${Math.round(tookMs)} ms`);
    const [{ listener }, place] = [served(TAKEN), `127.0.0.1:${TAKEN}`];
    const told = [...second.problems].map(([name, { reason, detail }]) => [name, reason, detail]);
    const holder = `shop (pid ${shop.pid}), which listens on ${place}`;
    assert.deepEqual(told, [[listener.name, "PortTaken", `${place}/TCP is in use by ${holder}`]]);

    assert.ok(heard.length > 10, `${heard.length} connections meanwhile`);
    assert.deepEqual([...new Set(heard)], ["member"]);
    assert.deepEqual(await othersThanMember(good), []);
    assert.equal(second.listeners.size, good.length);
    assert.equal((await stage.supervisor.nginx.state()).pid, pid);
    shop.kill();
    await once(shop, "exit");
    assert.equal((await serve(stage, ports, second)).problems.size, 0);
    assert.equal(await answers(TAKEN), "member");
  });
});

/** What those ports answer that no member does. */
async function othersThanMember(ports: readonly number[]): Promise<readonly string[]> {
  const others: string[] = [];
  const left = ports.values();
  const ask = async (): Promise<void> => {
    for (const port of left) {
      const said = await answers(port).catch(String);
      if (said !== "member") others.push(`${port}: ${said}`);
    }
  };
  await Promise.all(Array.from({ length: 20 }, ask));
  return others;
}

/** A program that has this port of 127.0.0.1, and is called "shop". */
async function programOn(port: number): Promise<ChildProcess> {
  const listen = `LocalAddr => "127.0.0.1", LocalPort => ${port}, Listen => 9`;
  const text = `$0 = "shop"; my $s = IO::Socket::INET->new(${listen}) or die; $| = 1;
    print "listens"; sleep`;
  const program = spawn("perl", ["-MIO::Socket::INET", "-e", text], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(program.stdout, "data");
  return program;
}
