// Rendered files in the real daemons, in namespaces of their own: the promises that no checker
// can see. A lane is held within a second, a reload takes nothing away, a track file does.

import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { type AddressInfo, connect, createServer } from "node:net";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { agentName, inSandbox, laneOf, listenerOf, vipOf } from "@fairlead/testkit";
import { createTemplates, renderKeepalived, renderNginx } from "./index.ts";

const templates = createTemplates();
/** Longest wait for anything here; the machine may be busy. */
const WAIT_MS_MAX = 10_000;
/** A generation that was replaced is cut after this. */
const SHUTDOWN_MS = 1000;
/** And not much later. */
const LATE_MS_MAX = 2000;
const NEXT_GENERATION = "fedcba9876543210";

const file = import.meta.url;
inSandbox({ file, name: "daemons run what is rendered as root" }, define);
inSandbox(
  { file, name: "daemons run what is rendered as a normal user", userNamespace: true },
  define,
);

function define(): void {
  prepare();
  test(
    "a lane of one agent is held, grows by a peer and a VIP, and leaves by its track file",
    holds,
  );
  test("the generation answers, and a listener without members closes at once", answers);
  test("a listener's limit counts no connection of another one", limits);
  test("a connection over a reload is cut when its time is over, and not before", cuts);
}

function prepare(): void {
  ip("link", "add", "eth0", "type", "veth", "peer", "name", "far0");
  ip("link", "set", "far0", "up");
  ip("address", "add", "192.0.2.11/24", "dev", "eth0");
  ip("link", "set", "eth0", "up");
  mkdirSync("/run/track");
  for (const family of ["ipv4", "ipv6"]) {
    writeFileSync(`/proc/sys/net/${family}/ip_nonlocal_bind`, "1");
  }
}

function ip(...args: string[]): void {
  const { status, stderr } = spawnSync("ip", args, { encoding: "utf8" });
  assert.equal(status, 0, `ip ${args.join(" ")}: ${stderr}`);
}

async function holds(): Promise<void> {
  writeKeepalived(["lb-1=192.0.2.11"], ["192.0.2.100", "2001:db8::100"]);
  await using kernel = await addressEvents();
  await using keepalived = daemon("keepalived", [
    ..."--dont-fork --vrrp --log-console --use-file /run/keepalived.conf".split(" "),
    ..."--pid /run/keepalived.pid --vrrp_pid /run/vrrp.pid".split(" "),
  ]);
  await kernel.until(/: eth0 +inet6 2001:db8::100\/128/);
  assert.equal(readFileSync("/run/track/lane-192.0.2.0-24-51", "utf8").trim(), "0");

  writeKeepalived(["lb-1=192.0.2.11", "lb-2=192.0.2.12"], ["192.0.2.100", "192.0.2.101"]);
  keepalived.process.kill("SIGHUP");
  await kernel.until(/: eth0 +inet 192\.0\.2\.101\/32/);
  assert.deepEqual(kernel.seen(/Deleted.* 192\.0\.2\.100\//), []);
  assert.deepEqual(kernel.seen(/Deleted.* 169\.254\.255\.51\//), []);

  writeFileSync("/run/track/lane-192.0.2.0-24-51", "1\n");
  await kernel.until(/Deleted.* 192\.0\.2\.101\//);
}

function writeKeepalived(order: readonly string[], vips: readonly string[]): void {
  const lane = laneOf({ routerId: 51, order });
  const { text } = renderKeepalived({
    agent: agentName("lb-1"),
    lanes: [lane],
    vips: vips.map((vip) => vipOf(vip, lane)),
    paths: { trackDir: "/run/track" },
    checksOnReload: readFileSync("/proc/self/setgroups", "utf8").trim() === "allow",
    templates,
  });
  writeFileSync("/run/keepalived.conf", text);
}

async function answers(): Promise<void> {
  writeNginx([
    listenerOf("192.0.2.11:81/tcp", []),
    listenerOf("192.0.2.99:80/tcp", ["10.0.0.1:80"]),
  ]);
  await using nginx = daemon("nginx", NGINX_ARGS);
  assert.equal(await firstAnswer("/run/generation.sock"), "0123456789abcdef");
  assert.equal(await everythingFrom({ host: "192.0.2.11", port: 81 }), "");
  assert.equal(nginx.process.exitCode, null);
}

/** Of these two, address and port make one text when nothing stands between them. */
async function limits(): Promise<void> {
  ip("address", "add", "192.0.2.1/32", "dev", "eth0");
  ip("address", "add", "192.0.2.12/32", "dev", "eth0");
  const ends = [
    { host: "192.0.2.1", port: 2345 },
    { host: "192.0.2.12", port: 345 },
  ];
  await using member = createServer((socket) => socket.resume().write("here\n"));
  await once(member.listen(0, "192.0.2.11"), "listening");
  const { port } = member.address() as AddressInfo;
  writeNginx(
    ends.map((end) =>
      listenerOf(`${end.host}:${end.port}/tcp`, [`192.0.2.11:${port}`], { connectionsMax: 1 }),
    ),
  );
  await using _ = daemon("nginx", NGINX_ARGS);
  await firstAnswer("/run/generation.sock");
  const greeted = ends.map(async (end) => {
    const client = connect(end);
    await Promise.race([once(client, "data"), once(client, "close")]);
    return client;
  });
  const clients = await Promise.all(greeted);
  const heard = clients.map(({ bytesRead }) => bytesRead);
  for (const client of clients) client.destroy();
  assert.deepEqual(heard, ["here\n".length, "here\n".length]);
}

/** Every so often a client that stays says something. */
const SAYS_EVERY_MS = 50;

async function cuts(): Promise<void> {
  ip("address", "replace", "192.0.2.12/32", "dev", "eth0");
  await using member = createServer((socket) => void socket.on("error", String).pipe(socket));
  await once(member.listen(0, "192.0.2.11"), "listening");
  const { port } = member.address() as AddressInfo;
  const [first, second] = [80, 81].map((own) =>
    listenerOf(`192.0.2.12:${own}/tcp`, [`192.0.2.11:${port}`]),
  );
  assert.ok(first !== undefined && second !== undefined);
  writeNginx([first]);
  await using nginx = daemon("nginx", NGINX_ARGS);
  await firstAnswer("/run/generation.sock");
  await using old = await talkTo(80);
  const hungUpMs = performance.now();
  writeNginx([first, second], NEXT_GENERATION);
  nginx.process.kill("SIGHUP");
  while ((await firstAnswer("/run/generation.sock")) !== NEXT_GENERATION) {}
  const servesMs = performance.now();
  await using young = await talkTo(81);
  const heard = old.heard();
  await old.ended;
  const nowMs = performance.now();
  const between = `${Math.round(nowMs - servesMs)} to ${Math.round(nowMs - hungUpMs)} ms`;
  assert.ok(nowMs - hungUpMs >= SHUTDOWN_MS, `it was cut after ${between}`);
  assert.ok(nowMs - servesMs < SHUTDOWN_MS + LATE_MS_MAX, `it was cut after ${between}`);
  assert.ok(old.heard() - heard > SHUTDOWN_MS / SAYS_EVERY_MS / 4, "it was answered meanwhile");
  // The old generation has no such port: who came to the new one is served on.
  await young.hearsMore();
}

interface Talk extends AsyncDisposable {
  /** Answers so far. */
  heard(): number;
  hearsMore(): Promise<void>;
  readonly ended: Promise<unknown>;
}

/** A client that stays and says something again and again; resolves with the first answer. */
async function talkTo(port: number): Promise<Talk> {
  const socket = connect({ host: "192.0.2.12", port }).on("error", String);
  const timer = setInterval(() => socket.write("?"), SAYS_EVERY_MS);
  const signal = AbortSignal.timeout(WAIT_MS_MAX);
  const ended = once(socket, "close", { signal }).finally(() => clearInterval(timer));
  const hearsMore = async (): Promise<void> => {
    const over = ended.then(() => assert.fail("it is over"));
    await Promise.race([once(socket, "data"), over]);
  };
  let heard = 0;
  socket.on("data", () => void (heard += 1));
  await hearsMore();
  const end = async (): Promise<void> => {
    socket.destroy();
    await ended.catch(String);
  };
  return { heard: () => heard, hearsMore, ended, [Symbol.asyncDispose]: end };
}

const NGINX_ARGS = ["-e", "stderr", "-c", "/run/nginx.conf"];

function writeNginx(
  pairs: readonly ReturnType<typeof listenerOf>[],
  generation = "0123456789abcdef",
): void {
  const { text } = renderNginx({
    listeners: pairs.map(([listener]) => listener),
    memberSets: new Map(pairs.map(([, set]) => [set.name, set])),
    generation,
    settings: {
      workerProcesses: 2,
      workerConnections: 64,
      openFilesMax: 256,
      user: "root",
      shutdownTimeoutMs: SHUTDOWN_MS,
      paths: {
        streamModule: "/usr/lib/nginx/modules/ngx_stream_module.so",
        pid: "/run/nginx.pid",
        errorLog: "stderr",
        probeSocket: "/run/generation.sock",
      },
    },
    templates,
  });
  writeFileSync("/run/nginx.conf", text);
}

/** Asks until somebody answers: nginx has just been started. */
async function firstAnswer(path: string): Promise<string> {
  const end = performance.now() + WAIT_MS_MAX;
  for (;;) {
    try {
      return await everythingFrom({ path });
    } catch (error) {
      if (performance.now() > end) throw error;
    }
  }
}

/** What the other side says until it closes. Rejects when it does not within the longest wait. */
async function everythingFrom(
  to: { readonly path: string } | { readonly host: string; readonly port: number },
): Promise<string> {
  const socket = connect(to);
  socket.setTimeout(WAIT_MS_MAX, () => socket.destroy(new Error("the other side stays silent")));
  const chunks: string[] = [];
  for await (const chunk of socket.setEncoding("utf8")) chunks.push(String(chunk));
  return chunks.join("");
}

interface Daemon extends AsyncDisposable {
  readonly process: ChildProcess;
}

function daemon(program: string, args: readonly string[]): Daemon {
  const child = spawn(program, args, { stdio: ["ignore", "inherit", "inherit"] });
  const gone = once(child, "exit");
  return {
    process: child,
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await gone;
    },
  };
}

interface AddressEvents extends AsyncDisposable {
  /** Resolves with the first line, also an earlier one, that matches. */
  until(pattern: RegExp): Promise<void>;
  seen(pattern: RegExp): string[];
}

/** What the kernel says of addresses, from now on. */
async function addressEvents(): Promise<AddressEvents> {
  const child = spawn("ip", ["-o", "monitor", "address"], { stdio: ["ignore", "pipe", "inherit"] });
  const lines: string[] = [];
  const waiting = new Set<() => void>();
  createInterface({ input: child.stdout }).on("line", (line) => {
    lines.push(line);
    for (const look of waiting) look();
  });
  const events: AddressEvents = {
    until: (pattern) =>
      new Promise((resolve, reject) => {
        const late = setTimeout(() => {
          waiting.delete(look);
          reject(new Error(`${String(pattern)} not in\n${lines.join("\n")}`));
        }, WAIT_MS_MAX);
        const look = (): void => {
          if (!lines.some((line) => pattern.test(line))) return;
          clearTimeout(late);
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
      }),
    seen: (pattern) => lines.filter((line) => pattern.test(line)),
    async [Symbol.asyncDispose]() {
      const gone = once(child, "exit");
      child.kill("SIGTERM");
      await gone;
    },
  };
  await proveListening(events);
  return events;
}

/** Changes an address of no meaning until the monitor has seen it. */
async function proveListening(events: AddressEvents): Promise<void> {
  const end = performance.now() + WAIT_MS_MAX;
  while (events.seen(/198\.18\.0\.1\//).length === 0) {
    assert.ok(performance.now() < end, "the monitor listens");
    ip("address", "add", "198.18.0.1/32", "dev", "lo");
    ip("address", "delete", "198.18.0.1/32", "dev", "lo");
    await new Promise((resolve) => setImmediate(resolve));
  }
}
