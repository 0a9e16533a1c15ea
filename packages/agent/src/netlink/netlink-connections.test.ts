// The end of clients' connections to addresses that left, on a real kernel in a sandbox: clients in
// a namespace of their own that wait for what a server has to say, in both families.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { type Socket, createServer } from "node:net";
import { createInterface } from "node:readline";
import { finished } from "node:stream/promises";
import { after, before, test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { createLogger, createSystemClock } from "@fairlead/runtime";
import { address, inSandbox } from "@fairlead/testkit";

import { askThere, ip, ipThere, makeNeighbour, run } from "../neighbour-stage.ts";
import type { Kernel } from "../ports.ts";
import { createNetlinkKernel } from "./kernel.ts";
import { createNetlinkConnections } from "./netlink-connections.ts";

const IP = "/usr/sbin/ip";
const [VIP, VIP6] = ["192.0.2.100", "2001:db8::100"];
const [STAYS, BACK] = ["192.0.2.101", "192.0.2.102"];
const [ON_LO, ON_IPVS] = ["192.0.2.103", "192.0.2.104"];
const NEW_HOLDER = "02:00:00:00:00:13";
/** Connects to each address, and says what it hears. */
const CLIENT = `
for (const host of process.argv.slice(1)) {
  const socket = require("node:net").connect({ host, port: 8080 });
  for (const event of ["connect", "data", "end", "error"]) {
    socket.on(event, (what) => console.log(host, event, what?.code ?? String(what ?? "")));
  }
}`;

/** A segment of this host and another one. */
async function makeSegment(): Promise<void> {
  await ip("link set lo up");
  await makeNeighbour([
    "address add 192.0.2.12/24 dev eth0",
    "address add 2001:db8::12/64 dev eth0 nodad",
  ]);
}

/** Takes connections at any address, and holds them without a word, by the address. */
async function listen(sockets: Map<string, Socket>): Promise<void> {
  for (const host of ["0.0.0.0", "::"]) {
    const server = createServer((socket) => {
      sockets.set(socket.localAddress ?? "", socket);
      // Who cares asks the socket: an error may come before or after the client's.
      socket.on("error", () => {});
    });
    server.listen({ port: 8080, host, ipv6Only: true }).unref();
    await once(server, "listening");
  }
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

/** What lo has, and what leads to the host itself. */
async function hostsOwn(): Promise<string> {
  const routes = await Promise.all(
    ["-4", "-6"].map((family) => run(IP, [family, "route", "show", "table", "local"])),
  );
  return (await run(IP, ["-brief", "address", "show", "dev", "lo"])) + routes.join("");
}

inSandbox({ file: import.meta.url, name: "client connections" }, () => {
  const sockets = new Map<string, Socket>();
  let kernel: Kernel;
  before(async () => {
    await makeSegment();
    const logger = createLogger({ level: "silent", format: "json" });
    kernel = await createNetlinkKernel({ clock: createSystemClock(), logger, ipProgram: IP });
    await listen(sockets);
  });
  after(async () => {
    await kernel[Symbol.asyncDispose]();
    for (const socket of sockets.values()) socket.destroy();
  });

  test("clients of an address that left waited for ever for an answer: now they are reset", async () => {
    const own = await hostsOwn();
    const put = [`${VIP}/32 dev eth0`, `${STAYS}/32 dev eth0`, `${VIP6}/128 dev eth0 nodad`];
    await ip(...put.map((one) => `address add ${one}`));
    await using connections = await createNetlinkConnections({ kernel });
    using client = startClient([VIP, STAYS, VIP6]);
    const connected = [VIP, STAYS, VIP6].map((host) => `${host} connect `);
    assert.deepEqual(await client.lines(3), connected.toSorted());

    await ip(`address del ${VIP}/32 dev eth0`, `address del ${VIP6}/128 dev eth0`);
    const many = Array.from({ length: 1500 }, (_, at) => `198.51.${at >> 8}.${at & 255}`);
    const left = [...many.slice(0, 700), VIP, ...many.slice(700), VIP6].map(address);
    assert.equal(await connections.end(left), 2);
    assert.deepEqual(await client.lines(2), [
      `${VIP} error ECONNRESET`,
      `${VIP6} error ECONNRESET`,
    ]);
    for (const vip of [VIP, VIP6]) {
      const socket = sockets.get(vip);
      assert.ok(socket);
      await assert.rejects(finished(socket), { code: "ECONNABORTED" });
    }

    sockets.get(STAYS)?.write("there?");
    assert.deepEqual(await client.lines(1), [`${STAYS} data there?`], "others are not touched");
    assert.equal(await connections.end(left), 0);
    await ip(`address del ${STAYS}/32 dev eth0`);
    assert.equal(await hostsOwn(), own, "nothing is left behind");
  });

  test("a reset asked for the client in the name of the address, and the segment believed it", async () => {
    await ip(`address add ${VIP}/32 dev eth0`, `address add ${VIP6}/128 dev eth0 nodad`);
    await using connections = await createNetlinkConnections({ kernel });
    using client = startClient([VIP, VIP6]);
    assert.deepEqual(await client.lines(2), [`${VIP} connect `, `${VIP6} connect `]);
    await ip(`address del ${VIP}/32 dev eth0`, `address del ${VIP6}/128 dev eth0`);
    // As it was told by the new holder; and this host has not spoken to the client for a while.
    const told = [VIP, VIP6].map((vip) => `${vip} lladdr ${NEW_HOLDER} dev eth0 nud stale`);
    await ipThere(...told.map((one) => `neighbour replace ${one}`));
    for (const family of ["-4", "-6"]) await run(IP, [family, "neighbour", "flush", "all"]);
    assert.equal(await connections.end([VIP, VIP6].map(address)), 2);
    assert.equal((await client.lines(2)).length, 2);
    for (const vip of [VIP, VIP6]) {
      const believed = await askThere("neighbour", "show", vip);
      assert.match(believed, new RegExp(NEW_HOLDER), "who has it is the new holder, as before");
    }
  });

  test("an address that came back has its connections on", async () => {
    await ip(`address add ${BACK}/32 dev eth0`);
    await using connections = await createNetlinkConnections({ kernel });
    using client = startClient([BACK]);
    assert.deepEqual(await client.lines(1), [`${BACK} connect `]);
    const own = await hostsOwn();
    assert.equal(await connections.end([address(BACK)]), 0);
    assert.equal(await hostsOwn(), own);
    sockets.get(BACK)?.write("there?");
    assert.deepEqual(await client.lines(1), [`${BACK} data there?`]);
  });

  test("addresses on lo and on kube-proxy's device are not held: they are reset, and stay there", async () => {
    const both = [ON_LO, ON_IPVS];
    const kubeProxy = "link add kube-ipvs0 type veth peer name ipvs1";
    await ip(kubeProxy, ...both.map((one) => `address add ${one}/32 dev eth0`));
    await using connections = await createNetlinkConnections({ kernel });
    using client = startClient(both);
    assert.equal((await client.lines(2)).join(), both.map((one) => `${one} connect `).join());
    await ip(...both.map((one) => `address del ${one}/32 dev eth0`));
    await ip(`address add ${ON_LO}/32 dev lo`, `address add ${ON_IPVS}/32 dev kube-ipvs0`);
    const own = await hostsOwn();
    assert.equal(await connections.end(both.map(address)), 2);
    const reset = both.map((one) => `${one} error ECONNRESET`);
    assert.equal((await client.lines(2)).join(), reset.join());
    assert.equal(await hostsOwn(), own);
  });

  test("an agent that stopped amid this left the addresses behind: it ends what it began", async () => {
    const own = await hostsOwn();
    const many = Array.from({ length: 50 }, (_, at) => `192.0.2.${200 + at}`);
    await ip(...many.map((one) => `address add ${one}/32 dev eth0`));
    const { promise: hasBegun, resolve: begin } = Promise.withResolvers<void>();
    const view = (): ReturnType<Kernel["view"]> => kernel.view().finally(begin);
    const connections = await createNetlinkConnections({ kernel: { view } });
    using client = startClient(many);
    await client.lines(many.length);
    await ip(...many.map((one) => `address del ${one}/32 dev eth0`));
    const ending = connections.end(many.map(address));
    await hasBegun;
    // A turn is one answer of the kernel at the most, and it is asked of each address.
    for (let turn = 0; turn < 10; turn += 1) await setImmediate();
    await connections[Symbol.asyncDispose]();
    assert.equal(await ending, many.length);
    assert.equal(await hostsOwn(), own);
  });
});
