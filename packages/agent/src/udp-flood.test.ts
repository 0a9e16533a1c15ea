// Floods of datagrams from made-up senders, with both instances of nginx as the agent renders and
// runs them, and members in the kernel's table as well as in nginx's file: TCP goes on answering,
// and so does another UDP listener. What connection tracking keeps of a flood is bounded.

import assert from "node:assert/strict";
import { type Socket, createSocket } from "node:dgram";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { before as atFirst, test } from "node:test";

import { present } from "@fairlead/model";
import { createSystemClock } from "@fairlead/runtime";
import { inSandbox, listenerOf } from "@fairlead/testkit";

import type { ServedListener } from "./applied.ts";
import type { DataPlaneLayout } from "./data-plane-layout.ts";
import { daemonOf } from "./dying-agent.ts";
import { ip, ipThere, makeNeighbour } from "./neighbour-stage.ts";
import { createServiceRoutes } from "./netlink/service-routes.ts";
import { fillBy, OPTIONS, run } from "./nft/member-stage.ts";
import { createMemberTable, forgetMembers } from "./nft/member-table.ts";
import { supervisedIn } from "./nginx-stage.ts";
import { udpSessionsMax } from "./nginx-parts.ts";
import type { NginxDaemon } from "./ports.ts";
import { renderedFile, servedOf } from "./rendered-file.ts";
import type { S6Supervisor } from "./supervise/s6.ts";
import { countUdpSessions, udpSessionsByAddress } from "./udp-sessions.ts";

/** Few, so that a flood of a second fills them. */
const SETTINGS = { workerProcesses: 2, workerConnections: 128 };
const SESSIONS_MAX = udpSessionsMax(SETTINGS);
const SENDERS = 600;
/** No more than may be there at once: nginx says what became of each. */
const SENDERS_FEW = 30;
/** Over IPv4, with its header and that of UDP (RFC 768). */
const DATAGRAM_BYTES_MAX = 65_507;
const VIP = "192.0.2.11";
const MEMBER = "10.0.0.1";
const IP = "/usr/sbin/ip";

type Switch = "kernel" | "nginx";

interface Stage extends AsyncDisposable {
  readonly layout: DataPlaneLayout;
  readonly supervisor: S6Supervisor;
  readonly nginxUdp: NginxDaemon;
  /** Listeners, by the port. */
  readonly served: ReadonlyMap<number, ServedListener>;
}

/** Both instances serve: TCP on 8001, UDP on 8053 to 8055, the last without a member. */
async function stage(name: string, memberSwitch: Switch): Promise<Stage> {
  await using stack = new AsyncDisposableStack();
  const { layout, supervisor } = await supervisedIn(stack, name);
  const web = createServer((socket) => socket.end("web")).listen(9001, MEMBER);
  stack.defer(() => void web.close());
  await once(web, "listening");
  for (const port of [9053, 9054]) {
    const member = await udp(MEMBER, port);
    stack.defer(() => void member.close());
    member.on("message", (text, from) => member.send(text, from.port, from.address));
  }
  const entries: readonly [string, readonly string[]][] = [
    [`${VIP}:8001/tcp`, [`${MEMBER}:9001`]],
    [`${VIP}:8053/udp`, [`${MEMBER}:9053`]],
    [`${VIP}:8054/udp`, [`${MEMBER}:9054`]],
    [`${VIP}:8055/udp`, []],
  ];
  const served = await servedBy(memberSwitch, entries, { stack, runDir: layout.runDir });
  const nginx = daemonOf(layout.nginx, supervisor.nginx);
  const nginxUdp = daemonOf(layout.nginxUdp, supervisor.nginxUdp);
  const generation = "0123456789abcdef";
  for (const [at, daemon, protocol] of [
    [layout.nginx, nginx, "tcp"],
    [layout.nginxUdp, nginxUdp, "udp"],
  ] as const) {
    const some = served.filter(({ listener }) => listener.protocol === protocol);
    await daemon.apply(renderedFile(at, generation, some, SETTINGS), generation);
  }
  const ended = stack.move();
  return {
    layout,
    supervisor,
    nginxUdp,
    served: new Map(served.map((one) => [one.listener.port, one])),
    [Symbol.asyncDispose]: () => ended.disposeAsync(),
  };
}

/** The listeners with their members where an agent of this switch has them. */
async function servedBy(
  memberSwitch: Switch,
  entries: readonly [string, readonly string[]][],
  { stack, runDir }: { readonly stack: AsyncDisposableStack; readonly runDir: string },
): Promise<readonly ServedListener[]> {
  if (memberSwitch === "nginx") return entries.map((entry) => servedOf(...listenerOf(...entry)));
  const placesFile = join(runDir, "places");
  const table = stack.use(await createMemberTable({ ...OPTIONS, placesFile }));
  stack.defer(() => forgetMembers(OPTIONS.nft));
  const placed = await fillBy(listenerOf)(table, entries);
  return placed.map(({ listener, members, place }) => servedOf(listener, members, place));
}

async function udp(address: string, port = 0): Promise<Socket> {
  const socket = createSocket("udp4");
  socket.bind(port, address);
  await once(socket, "listening");
  return socket;
}

async function asksTcp(port: number): Promise<string> {
  const socket = connect({ host: VIP, port });
  const chunks: unknown[] = await once(socket, "data");
  socket.destroy();
  return String(chunks[0]);
}

async function asksUdp(socket: Socket, port: number, text = "hello"): Promise<string> {
  const answer = once(socket, "message");
  socket.send(text, port, VIP);
  const told: unknown[] = await answer;
  return String(told[0]);
}

/** Runs at the neighbour: sends a datagram each as so many senders, and ends. */
const FLOOD = `
const { createSocket } = require("node:dgram");
const [port, count] = process.argv.slice(1).map(Number);
for (let sender = 0; sender < count; sender++) {
  const socket = createSocket("udp4");
  socket.bind(0, "10.88." + (sender >> 8) + "." + (sender & 255), () => {
    socket.send("flood", port, "${VIP}", () => socket.close());
  });
}
`;

async function flood(port: number, count: number): Promise<void> {
  const node = [process.execPath, "-e", FLOOD, String(port), String(count)];
  await run(IP, ["netns", "exec", "other", ...node]);
}

/** Entries of connection tracking with these words. */
async function tracked(words: string): Promise<number> {
  const lines = (await readFile("/proc/net/nf_conntrack", "utf8")).split("\n");
  return lines.filter((line) => `${line} `.includes(` ${words} `)).length;
}

/** What the nginx for UDP says. */
async function logOf({ layout }: Stage): Promise<string> {
  return await readFile(join(layout.nginxUdp.logDir, "current"), "utf8");
}

const WHERE: readonly (readonly [Switch, string])[] = [
  ["kernel", "the kernel's table"],
  ["nginx", "nginx's file"],
];

inSandbox({ file: import.meta.url, name: "udp-flood" }, () => {
  atFirst(async () => {
    await makeNeighbour(["address add 192.0.2.12/24 dev eth0"]);
    // Senders who have no address: what is answered to them ends there.
    await ipThere("route add local 10.88.0.0/16 dev lo");
    await ip("route add 10.88.0.0/16 via 192.0.2.12", `address add ${MEMBER}/32 dev lo`);
    const routes = { ...OPTIONS, ip: IP, clock: createSystemClock() };
    await using _ = await createServiceRoutes(routes);
  });

  for (const [memberSwitch, where] of WHERE) {
    test(`one UDP listener is flooded, members in ${where}: TCP and the other answer`, async () => {
      await using s = await stage(memberSwitch, memberSwitch);
      let isOver = false;
      const flooding = flood(8053, SENDERS).finally(() => (isOver = true));
      do assert.equal(await asksTcp(8001), "web");
      while (!isOver);
      await flooding;
      while ((await countUdpSessions()) < SESSIONS_MAX) {}
      assert.equal(await countUdpSessions(), SESSIONS_MAX, "as many as one listener may have");
      const place = s.served.get(8053)?.place;
      if (place !== undefined) {
        assert.equal((await udpSessionsByAddress()).get(place.service), SESSIONS_MAX);
        assert.equal(await tracked(`src=${place.service}`), SESSIONS_MAX, "of sessions alone");
        assert.equal(await tracked("dport=8053"), 0, "of the flood itself");
      }
      const client = await udp(VIP);
      assert.equal(await asksUdp(client, 8054), "hello");
      const longest = "x".repeat(DATAGRAM_BYTES_MAX);
      assert.ok(
        (await asksUdp(client, 8054, longest)) === longest,
        "to the member and back, uncut",
      );
      client.close();
      assert.equal(await asksTcp(8001), "web");
      assert.doesNotMatch(await logOf(s), /limiting connections|worker_connections/);
      await s.nginxUdp.end();
      assert.equal(await s.nginxUdp.generation(), undefined);
      assert.deepEqual(await s.supervisor.nginxUdp.state(), { up: false });
      assert.equal(await asksTcp(8001), "web");
    });
  }

  test("a UDP listener without members is flooded: the kernel keeps no entry of that", async () => {
    await using s = await stage("memberless", "kernel");
    const { service } = present(s.served.get(8055)?.place, "it has a place");
    await flood(8055, SENDERS_FEW);
    const ended = async (): Promise<number> =>
      new Set((await logOf(s)).match(/client: 10\.88\.\S+/g)).size;
    while ((await ended()) < SENDERS_FEW) {}
    assert.equal(await tracked(`src=${service}`), 0);
  });
});
