// A flood of datagrams from made-up senders against one UDP listener, with both instances of nginx
// as the agent renders and runs them: TCP goes on answering, and so does another UDP listener.

import assert from "node:assert/strict";
import { type Socket, createSocket } from "node:dgram";
import { once } from "node:events";
import { mkdir, readFile } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { test } from "node:test";

import { inSandbox, listenerOf } from "@fairlead/testkit";

import { dataPlaneLayout } from "./data-plane-layout.ts";
import { daemonOf, supervisorOf } from "./dying-agent.ts";
import { udpSessionsMax } from "./nginx-parts.ts";
import { renderedFile, servedOf } from "./rendered-file.ts";
import { countUdpSessions } from "./udp-sessions.ts";

/** Few, so that a flood of a second fills them. */
const SETTINGS = { workerProcesses: 2, workerConnections: 128 };
const SENDERS = 600;
/** Over IPv4, with its header and that of UDP (RFC 768). */
const DATAGRAM_BYTES_MAX = 65_507;

async function udp(address: string, port = 0): Promise<Socket> {
  const socket = createSocket("udp4");
  socket.bind(port, address);
  await once(socket, "listening");
  return socket;
}

async function asksTcp(port: number): Promise<string> {
  const socket = connect({ host: "127.0.0.1", port });
  const chunks: unknown[] = await once(socket, "data");
  socket.destroy();
  return String(chunks[0]);
}

async function asksUdp(socket: Socket, port: number, text = "hello"): Promise<string> {
  const answer = once(socket, "message");
  socket.send(text, port, "127.0.0.1");
  const told: unknown[] = await answer;
  return String(told[0]);
}

inSandbox({ file: import.meta.url, name: "udp-flood" }, () => {
  test("one UDP listener is flooded: TCP answers, and so does the other listener", async () => {
    const runDir = "/run/flood";
    await mkdir(runDir);
    const layout = dataPlaneLayout(runDir);
    const supervisor = supervisorOf(runDir);
    await supervisor.ensure();
    await using stack = new AsyncDisposableStack();
    stack.defer(() => supervisor.end());
    const web = createServer((socket) => socket.end("web")).listen(9001, "127.0.0.1");
    stack.defer(() => void web.close());
    await once(web, "listening");
    for (const port of [9053, 9054]) {
      const member = await udp("127.0.0.1", port);
      stack.defer(() => void member.close());
      member.on("message", (text, from) => member.send(text, from.port, from.address));
    }
    const nginx = daemonOf(layout.nginx, supervisor.nginx);
    const nginxUdp = daemonOf(layout.nginxUdp, supervisor.nginxUdp);
    const tcp = [servedOf(...listenerOf("127.0.0.1:8001/tcp", ["127.0.0.1:9001"]))];
    const datagrams = [
      servedOf(...listenerOf("127.0.0.1:8053/udp", ["127.0.0.1:9053"])),
      servedOf(...listenerOf("127.0.0.1:8054/udp", ["127.0.0.1:9054"])),
    ];
    const generation = "0123456789abcdef";
    await nginx.apply(renderedFile(layout.nginx, generation, tcp, SETTINGS), generation);
    const udpText = renderedFile(layout.nginxUdp, generation, datagrams, SETTINGS);
    await nginxUdp.apply(udpText, generation);

    const sessionsMax = udpSessionsMax(SETTINGS);
    for (let sender = 0; sender < SENDERS; sender += 1) {
      const socket = await udp(`127.1.${sender >> 8}.${sender & 255}`);
      socket.send("flood", 8053, "127.0.0.1", () => socket.close());
      if (sender % 100 === 0) assert.equal(await asksTcp(8001), "web");
    }
    while ((await countUdpSessions()) < sessionsMax) {}
    assert.equal(await countUdpSessions(), sessionsMax, "as many as one listener may have");
    const client = await udp("127.0.0.1");
    stack.defer(() => void client.close());
    assert.equal(await asksUdp(client, 8054), "hello");
    const longest = "x".repeat(DATAGRAM_BYTES_MAX);
    assert.ok((await asksUdp(client, 8054, longest)) === longest, "to the member and back, uncut");
    assert.equal(await asksTcp(8001), "web");
    const log = await readFile(join(layout.nginxUdp.logDir, "current"), "utf8");
    assert.doesNotMatch(log, /limiting connections|worker_connections/);
    await nginxUdp.end();
    assert.equal(await nginxUdp.generation(), undefined);
    assert.deepEqual(await supervisor.nginxUdp.state(), { up: false });
    assert.equal(await asksTcp(8001), "web");
  });
});
