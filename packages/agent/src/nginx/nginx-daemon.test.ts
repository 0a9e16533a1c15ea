// nginx itself under s6 in a sandbox: first start, reload, refusals, a taken port, a killed
// master, long connections over a reload. Each with the proof by the generation that answers.

import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdir, readFile, rename } from "node:fs/promises";
import { type Server, type Socket, connect, createServer } from "node:net";
import { test } from "node:test";
import { createLogger, createSystemClock } from "@fairlead/runtime";
import { inSandbox } from "@fairlead/testkit";
import { dataPlaneLayout } from "../data-plane-layout.ts";
import type { NginxDaemon, NginxOutcome } from "../ports.ts";
import { createS6Supervisor, type S6Supervisor } from "../supervise/s6.ts";
import { probeSocketOf } from "./generation-probe.ts";
import { createNginxDaemon } from "./nginx-daemon.ts";
import { readWorkers } from "./workers.ts";

interface Stage extends AsyncDisposable {
  readonly nginx: NginxDaemon;
  readonly supervisor: S6Supervisor;
  /** A file with this id whose listeners answer with it; `lines` go into the stream block. */
  config(generation: string, ports: readonly number[], lines?: readonly string[]): string;
  readonly configPath: string;
}

async function stage(name: string, generationsMax = 8): Promise<Stage> {
  const layout = dataPlaneLayout(`/run/${name}`);
  await mkdir(layout.runDir);
  const shared = {
    layout,
    clock: createSystemClock(),
    logger: createLogger({ level: "silent", format: "json" }),
  };
  const supervisor = createS6Supervisor({
    ...shared,
    programs: {
      nginx: "/usr/sbin/nginx",
      keepalived: "/usr/sbin/keepalived",
      ip: "/usr/sbin/ip",
      s6Svscan: "/usr/bin/s6-svscan",
    },
  });
  await supervisor.ensure();
  const daemon = createNginxDaemon({
    ...shared,
    layout: layout.nginx,
    generationsMax,
    service: supervisor.nginx,
    program: "/usr/sbin/nginx",
  });
  const config: Stage["config"] = (generation, ports, lines = []) =>
    `load_module /usr/lib/nginx/modules/ngx_stream_module.so;
daemon off;
pid ${layout.nginx.pid};
error_log stderr warn;
user root;
worker_processes 2;
events { worker_connections 64; }
stream {
  server { listen unix:${layout.nginx.probeSocket(generation)}; return ${generation}; }
${ports.map((port) => `  server { listen 127.0.0.1:${port}; return ${generation}; }`).join("\n")}
${lines.join("\n")}
}
`;
  return {
    nginx: daemon,
    supervisor,
    config,
    configPath: layout.nginx.config,
    [Symbol.asyncDispose]: () => supervisor.end(),
  };
}

/** What a port answers; undefined when it refuses. */
async function ask(port: number): Promise<string | undefined> {
  const socket = connect({ host: "127.0.0.1", port });
  let text = "";
  try {
    for await (const chunk of socket.setEncoding("utf8")) text += String(chunk);
    return text;
  } catch {
    return undefined;
  }
}

function detailOf(outcome: NginxOutcome): string {
  assert.equal(outcome.kind, "refused");
  return outcome.remark.detail;
}

async function listen(port: number, onConnection: (socket: Socket) => void): Promise<Server> {
  const server = createServer(onConnection).listen(port, "127.0.0.1");
  await once(server, "listening");
  return server;
}

inSandbox({ file: import.meta.url, name: "nginx" }, () => {
  test("first start, reload with a new listener, and nothing for the same text", async () => {
    await using s = await stage("reload");
    assert.equal(await s.nginx.generation(), undefined);
    assert.equal((await s.nginx.generationsAlive()).length, 0);
    const first = s.config("g1", [8001]);
    assert.deepEqual(await s.nginx.apply(first, "g1"), { kind: "applied", reloaded: true });
    assert.equal(await s.nginx.generation(), "g1");
    assert.equal(await ask(8001), "g1");
    assert.equal((await s.nginx.generationsAlive()).length, 1);
    const second = s.config("g2", [8001, 8002]);
    assert.deepEqual(await s.nginx.apply(second, "g2"), { kind: "applied", reloaded: true });
    assert.equal(await ask(8002), "g2");
    const pid = (await s.supervisor.nginx.state()).pid;
    assert.deepEqual(await s.nginx.apply(second, "g2"), { kind: "applied", reloaded: false });
    assert.equal((await s.supervisor.nginx.state()).pid, pid);
  });

  test("a broken file is refused in nginx's words, and the old one still serves", async () => {
    await using s = await stage("broken");
    const good = s.config("g1", [8001]);
    await s.nginx.apply(good, "g1");
    const outcome = await s.nginx.apply(s.config("g2", [], ["  lisen 80;"]), "g2");
    assert.equal(outcome.kind, "refused");
    assert.equal(outcome.remark.reason, "ConfigRefused");
    assert.match(
      outcome.remark.detail,
      /^nginx: unknown directive "lisen" in .*candidate.conf:\d+$/,
    );
    assert.equal(await ask(8001), "g1");
    assert.equal(await readFile(s.configPath, "utf8"), good);
  });

  test("of a file with proved parts the news alone are checked", async () => {
    await using s = await stage("news");
    const good = s.config("g1", [8001]);
    await s.nginx.apply(good, "g1");
    const broken = s.config("g2", [], ["  lisen 80;"]);
    const outcome = await s.nginx.apply(s.config("g2", [8001, 8002]), "g2", broken);
    assert.match(detailOf(outcome), /"lisen" in .*candidate.conf:\d+$/);
    assert.equal(await ask(8001), "g1");
    assert.equal(await readFile(s.configPath, "utf8"), good);
    const next = s.config("g3", [8001, 8002]);
    const applied = { kind: "applied", reloaded: true };
    assert.deepEqual(await s.nginx.apply(next, "g3", s.config("g3", [8002])), applied);
    assert.equal(await ask(8002), "g3");
  });

  test("what only the whole has wrong nginx refuses itself, and the file before is back", async () => {
    await using s = await stage("whole");
    const good = s.config("g1", [8001]);
    await s.nginx.apply(good, "g1");
    const twice = s.config("g2", [8001, 8002, 8002]);
    const outcome = await s.nginx.apply(twice, "g2", s.config("g2", [8002]));
    assert.match(detailOf(outcome), /^nginx: duplicate "127.0.0.1:8002" .* in .*nginx.conf:\d+$/);
    assert.equal(await ask(8001), "g1");
    assert.equal(await readFile(s.configPath, "utf8"), good);
    assert.equal((await s.nginx.apply(s.config("g3", [8001, 8002]), "g3")).kind, "applied");
  });

  test("the first file of an agent is checked whole, whatever it says is new", async () => {
    await using s = await stage("unproved");
    const outcome = await s.nginx.apply(s.config("g1", [8001, 8001]), "g1", s.config("g1", []));
    assert.match(detailOf(outcome), /^nginx: duplicate .* in .*candidate.conf:\d+$/);
    assert.deepEqual(await s.supervisor.nginx.state(), { up: false });
  });

  test("a port that another process holds is named, and the file before is back", async () => {
    await using s = await stage("taken");
    const good = s.config("g1", [8001]);
    await s.nginx.apply(good, "g1");
    const pid = (await s.supervisor.nginx.state()).pid;
    const other = await listen(8005, (socket) => socket.end("other"));
    const outcome = await s.nginx.apply(s.config("g2", [8001, 8005]), "g2");
    assert.deepEqual(outcome, {
      kind: "refused",
      remark: { reason: "PortTaken", detail: "127.0.0.1:8005 is in use by another process" },
    });
    assert.equal(await s.nginx.generation(), "g1");
    assert.equal(await ask(8005), "other");
    assert.equal((await s.supervisor.nginx.state()).pid, pid);
    assert.equal(await readFile(s.configPath, "utf8"), good);
    other.close();
    const again = await s.nginx.apply(s.config("g3", [8001, 8005]), "g3");
    assert.equal(again.kind, "applied");
    assert.equal(await ask(8005), "g3");
  });

  test("a first file that cannot start is named and not tried every second", async () => {
    await using s = await stage("first");
    const other = await listen(8005, (socket) => socket.end("other"));
    const outcome = await s.nginx.apply(s.config("g1", [8005]), "g1");
    assert.equal(outcome.kind, "refused");
    assert.equal(outcome.remark.reason, "PortTaken");
    assert.deepEqual(await s.supervisor.nginx.state(), { up: false });
    other.close();
    assert.equal((await s.nginx.apply(s.config("g2", [8005]), "g2")).kind, "applied");
  });

  test("a killed master is back by itself with the same generation", async () => {
    await using s = await stage("killed");
    const text = s.config("g1", [8001]);
    await s.nginx.apply(text, "g1");
    const { pid } = await s.supervisor.nginx.state();
    assert.ok(pid !== undefined);
    process.kill(pid, "SIGKILL");
    for (;;) {
      const state = await s.supervisor.nginx.state();
      if (state.up && state.pid !== pid && (await s.nginx.generation()) === "g1") break;
    }
    assert.equal(await ask(8001), "g1");
    assert.equal((await s.nginx.generationsAlive()).length, 1);
    assert.deepEqual(await s.nginx.apply(text, "g1"), { kind: "applied", reloaded: false });
  });

  test("an apply right after a kill waits for the new master", async () => {
    await using s = await stage("race");
    await s.nginx.apply(s.config("g1", [8001]), "g1");
    const { pid } = await s.supervisor.nginx.state();
    assert.ok(pid !== undefined);
    process.kill(pid, "SIGKILL");
    const outcome = await s.nginx.apply(s.config("g2", [8001, 8002]), "g2");
    assert.deepEqual(outcome, { kind: "applied", reloaded: true });
    assert.equal(await ask(8002), "g2");
  });

  test("a long connection keeps its generation alive over a reload", async () => {
    await using s = await stage("long");
    const member = await listen(9001, (socket) => void socket.pipe(socket));
    const proxy = ["  server { listen 127.0.0.1:8003; proxy_pass 127.0.0.1:9001; }"];
    await s.nginx.apply(s.config("g1", [], proxy), "g1");
    const client = connect({ host: "127.0.0.1", port: 8003 });
    client.write("hello");
    await once(client, "data");
    await s.nginx.apply(s.config("g2", [], proxy), "g2");
    while ((await s.nginx.generationsAlive()).length !== 2) {}
    client.write("still there");
    const chunks: unknown[] = await once(client, "data");
    assert.equal(String(chunks[0]), "still there");
    client.destroy();
    while ((await s.nginx.generationsAlive()).length !== 1) {}
    member.close();
  });

  test("more generations than may live: the oldest is ended with what it has", async () => {
    await using s = await stage("bound", 2);
    const member = await listen(9001, (socket) => void socket.pipe(socket));
    const proxy = ["  server { listen 127.0.0.1:8003; proxy_pass 127.0.0.1:9001; }"];
    const client = async (): Promise<Socket> => {
      const socket = connect({ host: "127.0.0.1", port: 8003 });
      socket.write("hello");
      await once(socket, "data");
      return socket;
    };
    await s.nginx.apply(s.config("g1", [], proxy), "g1");
    const first = await client();
    // Generations are told apart by when their workers start, and a start waits for nothing.
    while (((await s.nginx.generationsAlive())[0]?.ageMs ?? 0) < 200) {}
    await s.nginx.apply(s.config("g2", [], proxy), "g2");
    await s.nginx.retired();
    const second = await client();
    const ended = once(first.resume(), "close");
    await s.nginx.apply(s.config("g3", [], proxy), "g3");
    await s.nginx.retired();
    await ended;
    second.write("still there");
    const chunks: unknown[] = await once(second, "data");
    assert.equal(String(chunks[0]), "still there");
    while ((await s.nginx.generationsAlive()).length !== 2) {}
    const [serving, older] = await s.nginx.generationsAlive();
    assert.equal(serving?.isServing, true);
    assert.equal(older?.isServing, false);
    assert.ok((older?.memoryBytes ?? 0) > 0);
    second.destroy();
    member.close();
  });

  test("a reload is proved while old workers still serve, and they retire after it", async () => {
    await using s = await stage("retired");
    const both = s.config("g1", [8001]).replace("worker_processes 2", "worker_processes 1");
    await s.nginx.apply(both, "g1");
    const { pid } = await s.supervisor.nginx.state();
    assert.ok(pid !== undefined);
    const [old] = readWorkers(pid);
    assert.ok(old !== undefined);
    await s.nginx.apply(s.config("g2", [8001]), "g2");
    assert.equal(await s.nginx.generation(), "g2");
    await s.nginx.retired();
    const serving = readWorkers(pid).filter((worker) => !worker.ending);
    assert.equal(serving.length, 2);
    assert.ok(serving.every((worker) => worker.pid !== old.pid));
  });

  test("a master that gets no time refuses nothing, and takes the next file when it goes on", async () => {
    await using s = await stage("stopped");
    const good = s.config("g1", [8001]);
    await s.nginx.apply(good, "g1");
    const { pid } = await s.supervisor.nginx.state();
    assert.ok(pid !== undefined);
    process.kill(pid, "SIGSTOP");
    const outcome = await s.nginx
      .apply(s.config("g2", [8001, 8002]), "g2")
      .finally(() => process.kill(pid, "SIGCONT"));
    assert.equal(outcome.kind, "undecided");
    assert.equal(outcome.remark.reason, "DataPlaneDown");
    assert.match(outcome.remark.detail, /^nginx: its new file did not serve within 4000 ms, /);
    assert.equal(await ask(8001), "g1");
    assert.equal(await readFile(s.configPath, "utf8"), good);
    assert.equal((await s.nginx.apply(s.config("g3", [8001, 8002]), "g3")).kind, "applied");
    assert.equal(await ask(8002), "g3");
  });

  test("workers that have no time to answer are not ended with their clients", async () => {
    await using s = await stage("busy");
    const member = await listen(9001, (socket) => void socket.pipe(socket));
    const proxy = ["  server { listen 127.0.0.1:8003; proxy_pass 127.0.0.1:9001; }"];
    const text = s.config("g1", [8001], proxy);
    await s.nginx.apply(text, "g1");
    const client = connect({ host: "127.0.0.1", port: 8003 });
    using ends = new DisposableStack();
    ends.defer(() => void member.close());
    ends.defer(() => void client.destroy());
    client.write("hello");
    await once(client, "data");
    const { pid } = await s.supervisor.nginx.state();
    assert.ok(pid !== undefined);
    let busy = readWorkers(pid);
    // One that starts yet answers for all.
    while (busy.length < 2) {
      await new Promise((resolve) => setImmediate(resolve));
      busy = readWorkers(pid);
    }
    for (const worker of busy) process.kill(worker.pid, "SIGSTOP");
    assert.equal(await s.nginx.generation(), undefined);
    const outcome = await s.nginx
      .apply(text, "g1")
      .finally(() => busy.forEach((worker) => process.kill(worker.pid, "SIGCONT")));
    assert.deepEqual(outcome, { kind: "applied", reloaded: true });
    assert.equal(await ask(8001), "g1");
    client.write("still there");
    const chunks: unknown[] = await once(client, "data");
    assert.equal(String(chunks[0]), "still there");
    assert.equal((await s.supervisor.nginx.state()).pid, pid);
  });

  test("the socket of a check that was killed does not keep nginx from its file", async () => {
    await using s = await stage("stale");
    await s.nginx.apply(s.config("g1", [8001]), "g1");
    const left = createServer().listen("/run/stale/check.sock");
    await once(left, "listening");
    await rename("/run/stale/check.sock", probeSocketOf(s.config("g2", [])) ?? "");
    await new Promise((resolve) => left.close(resolve));
    assert.equal((await s.nginx.apply(s.config("g2", [8001]), "g2")).kind, "applied");
  });

  test("applies that come together are done one after the other", async () => {
    await using s = await stage("together");
    const outcomes = await Promise.all(
      ["g1", "g2", "g3"].map((id) => s.nginx.apply(s.config(id, [8001]), id)),
    );
    assert.deepEqual(new Set(outcomes.map((outcome) => outcome.kind)), new Set(["applied"]));
    assert.equal(await s.nginx.generation(), "g3");
  });
});
