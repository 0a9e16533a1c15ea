// The end of clients' connections to addresses that left, on a real kernel in a sandbox: clients in
// a namespace of their own that wait for what a server has to say, in both families.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { type Server, type Socket, createServer } from "node:net";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { runProgram } from "@fairlead/runtime";
import { address, inSandbox } from "@fairlead/testkit";

import { createNetlinkConnections } from "./netlink-connections.ts";

const IP = "/usr/sbin/ip";
const [VIP, VIP6] = ["192.0.2.100", "2001:db8::100"];
const [STAYS, BACK] = ["192.0.2.101", "192.0.2.102"];
/** Connects to each address, and says what it hears. */
const CLIENT = `
for (const host of process.argv.slice(1)) {
  const socket = require("node:net").connect({ host, port: 8080 });
  for (const event of ["connect", "data", "end", "error"]) {
    socket.on(event, (what) => console.log(host, event, what?.code ?? String(what ?? "")));
  }
}`;

async function run(command: string, args: readonly string[], input = ""): Promise<string> {
  const limits = { timeoutMs: 10_000, maxOutputBytes: 65_536 };
  const result = await runProgram({ command, args, input, ...limits });
  assert.equal(result.code, 0, result.stderr);
  return result.stdout;
}

async function ip(lines: readonly string[], namespace: readonly string[] = []): Promise<void> {
  await run(IP, [...namespace, "-batch", "-"], `${lines.join("\n")}\n`);
}

/** A segment of this host and another one. */
async function makeSegment(): Promise<void> {
  // Names of namespaces live in a folder of the machine, which a sandbox may not write.
  await run("/usr/bin/mount", ["-t", "tmpfs", "tmpfs", "/run"]);
  await ip([
    "link set lo up",
    "netns add other",
    "link add eth0 type veth peer name eth0 netns other",
    "address add 192.0.2.11/24 dev eth0",
    "address add 2001:db8::11/64 dev eth0 nodad",
    "link set eth0 up",
  ]);
  const others = ["192.0.2.12/24 dev eth0", "2001:db8::12/64 dev eth0 nodad"];
  const inside = [...others.map((one) => `address add ${one}`), "link set eth0 up"];
  await ip(inside, ["-n", "other"]);
}

interface Listening {
  readonly server: Server;
  readonly sockets: Map<string, Socket>;
  /** Codes of errors, by the address that was connected to. */
  readonly errors: Map<string, string>;
}

/** Takes connections at any address, and holds them without a word. */
async function listen(): Promise<Listening> {
  const [sockets, errors] = [new Map<string, Socket>(), new Map<string, string>()];
  const server = createServer((socket) => {
    const at = socket.localAddress?.replace("::ffff:", "") ?? "";
    sockets.set(at, socket);
    socket.on("error", (error: NodeJS.ErrnoException) => errors.set(at, error.code ?? ""));
  });
  for (const host of ["0.0.0.0", "::"]) {
    const one =
      host === "::" ? createServer((socket) => server.emit("connection", socket)) : server;
    one.listen({ port: 8080, host, ipv6Only: true }).unref();
    await once(one, "listening");
  }
  return { server, sockets, errors };
}

interface Client extends Disposable {
  /** Resolves with the next lines, sorted. */
  readonly lines: (count: number) => Promise<readonly string[]>;
}

function startClient(hosts: readonly string[]): Client {
  const args = ["netns", "exec", "other", process.execPath, "-e", CLIENT, ...hosts];
  const child = spawn(IP, args, { stdio: ["ignore", "pipe", "inherit"] });
  const said = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const lines = async (count: number): Promise<readonly string[]> => {
    const some: string[] = [];
    while (some.length < count) some.push(String((await said.next()).value));
    return some.toSorted();
  };
  return { lines, [Symbol.dispose]: () => void child.kill("SIGKILL") };
}

inSandbox({ file: import.meta.url, name: "client connections" }, () => {
  test("clients of an address that left waited for ever for an answer: now they are reset", async () => {
    await makeSegment();
    // As of an agent that was killed in the moment of a reset.
    await ip([`route add local ${VIP} dev lo table local proto 158`]);
    const put = [`${VIP}/32 dev eth0`, `${STAYS}/32 dev eth0`, `${VIP6}/128 dev eth0 nodad`];
    await ip(put.map((one) => `address add ${one}`));
    await using connections = await createNetlinkConnections({ ip: IP, hasIpv6: true });
    assert.equal(await routesLeft(), "");
    const { sockets, errors } = await listen();
    using client = startClient([VIP, STAYS, VIP6]);
    const connected = [VIP, STAYS, VIP6].map((host) => `${host} connect `);
    assert.deepEqual(await client.lines(3), connected.toSorted());

    await ip([`address del ${VIP}/32 dev eth0`, `address del ${VIP6}/128 dev eth0`]);
    const many = Array.from({ length: 1500 }, (_, at) => `198.51.${at >> 8}.${at & 255}`);
    const left = [...many.slice(0, 700), VIP, ...many.slice(700), VIP6].map(address);
    assert.equal(await connections.end(left), 2);
    assert.deepEqual(await client.lines(2), [
      `${VIP} error ECONNRESET`,
      `${VIP6} error ECONNRESET`,
    ]);
    assert.deepEqual([...errors.keys()].toSorted(), [VIP, VIP6]);
    assert.equal(await routesLeft(), "");

    sockets.get(STAYS)?.write("there?");
    assert.deepEqual(await client.lines(1), [`${STAYS} data there?`], "others are not touched");
    assert.equal(await connections.end(left), 0);
  });

  test("a route of the kernel's own, of an address that came back meanwhile, stays", async () => {
    // One of its own: what the other clients had may still be closing.
    await ip([`address add ${BACK}/32 dev eth0`]);
    await using connections = await createNetlinkConnections({ ip: IP, hasIpv6: true });
    using client = startClient([BACK]);
    assert.deepEqual(await client.lines(1), [`${BACK} connect `]);
    const before = await run(IP, ["route", "show", "table", "local"]);
    assert.equal(await connections.end([address(BACK)]), 1);
    assert.equal(await run(IP, ["route", "show", "table", "local"]), before);
  });
});

async function routesLeft(): Promise<string> {
  const show = ["route", "show", "table", "local", "proto", "158"];
  return (await run(IP, ["-4", ...show])) + (await run(IP, ["-6", ...show]));
}
