// Slots that the kernel chooses, on a real kernel in a sandbox: all members get their share, and as
// many connections as come. Members end connections first and keep their ports for a minute then,
// as servers of HTTP do.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { mkdtempDisposable } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { before as atFirst, test } from "node:test";

import { type ListenerResource, present } from "@fairlead/model";
import { createSystemClock } from "@fairlead/runtime";
import { inSandbox, listenerOf } from "@fairlead/testkit";

import { makeNeighbour } from "../neighbour-stage.ts";
import { createServiceRoutes } from "../netlink/service-routes.ts";
import { fillBy, NFT, OPTIONS } from "./member-stage.ts";
import { createMemberTable, forgetMembers } from "./member-table.ts";

const IP = "/usr/sbin/ip";
const FAMILIES = [
  { vip: "192.0.2.100", target: "198.18.0.1", members: ["192.0.2.12", "192.0.2.13"] },
  {
    vip: "2001:db8::100",
    target: "fdfa:1ead::1",
    members: ["2001:db8::12", "2001:db8::13"],
  },
] as const;
/** Ports that stand for 24 slots: the next one of all connections, and any. */
const NEXT = 2024;
const ANY = 4024;
/** Ports that masquerading has for a port below 1024: few are soon used up. */
const PORTS = [600, 1023] as const;
const MORE = 3 * (PORTS[1] - PORTS[0] + 1);
const CLIENTS = 8;
/** Says its address to whoever connects, and ends first. */
const MEMBERS = `for (const host of process.argv.slice(1)) {
  require("node:net").createServer((socket) => {
    socket.on("error", () => undefined).end(host);
  }).listen(8080, host, () => console.log("listens"));
}`;

/** Connects as nginx does, until the member has ended the connection; what it said. */
async function visit(from: string, target: string, port: number): Promise<string> {
  const socket = connect({ host: target, port, localAddress: from }).setEncoding("utf8");
  let said = "";
  socket.on("data", (text: string) => {
    said += text;
  });
  await once(socket, "close");
  return said;
}

/** How many of so many visits each member got; some are there at once. */
async function crowd(
  count: number,
  visitOnce: () => Promise<string>,
): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  let left = count;
  const client = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      const member = await visitOnce();
      counts.set(member, (counts.get(member) ?? 0) + 1);
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
  return counts;
}

/** Of this host so far: a connection whose first packet was not answered waits for a second. */
function connectionsThatWaited(): number {
  const rows = readFileSync("/proc/net/netstat", "utf8").split("\n");
  const [names = [], values = []] = rows
    .filter((row) => row.startsWith("TcpExt:"))
    .map((row) => row.split(" "));
  return Number(values[names.indexOf("TCPSynRetrans")]);
}

/** A listener with these members, which run at the neighbour; the address that nginx has for it. */
async function servedBy(
  endpoint: string,
  members: readonly string[],
  change: Partial<ListenerResource> = {},
): Promise<AsyncDisposable & { readonly service: string }> {
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(await mkdtempDisposable(join(tmpdir(), "fairlead-turns-")));
  const options = { ...OPTIONS, placesFile: join(folder.path, "p") };
  const table = stack.use(await createMemberTable(options));
  stack.defer(() => forgetMembers(NFT));
  const fill = fillBy((at, its) => listenerOf(at, its, change));
  const places = members.map((one) => `${one}:8080`);
  const [served] = await fill(table, [[endpoint, places]]);
  const { service } = present(served, "the listener").place;
  const args = ["netns", "exec", "other", process.execPath, "-e", MEMBERS, ...members];
  const program = spawn(IP, args, { stdio: ["ignore", "pipe", "inherit"] });
  stack.defer(() => void program.kill());
  for (let listening = 0; listening < members.length;) {
    const said: unknown[] = await once(program.stdout, "data");
    listening += String(said[0]).trim().split("\n").length;
  }
  const all = stack.move();
  return { service, [Symbol.asyncDispose]: () => all.disposeAsync() };
}

inSandbox({ file: import.meta.url, name: "turns", timeoutMs: 60_000 }, () => {
  writeFileSync("/proc/sys/net/ipv6/ip_nonlocal_bind", "1");
  writeFileSync("/proc/sys/net/ipv4/ip_unprivileged_port_start", "0");
  writeFileSync("/proc/sys/net/ipv4/ip_local_port_range", PORTS.join(" "));
  atFirst(async () => {
    await using _ = await createServiceRoutes({ ip: IP, clock: createSystemClock(), ...OPTIONS });
    await makeNeighbour([
      ...["192.0.2.12/24", "192.0.2.13/24"].map((one) => `address add ${one} dev eth0`),
      ...["12/64", "13/64"].map((one) => `address add 2001:db8::${one} dev eth0 nodad`),
    ]);
  });

  for (const { vip, target, members } of FAMILIES) {
    test(`a member gets more connections than it has ports, and none waits: ${target}`, async () => {
      const waitedBefore = connectionsThatWaited();
      await using stage = await servedBy(`${vip}:80/tcp`, members);
      const counts = await crowd(MORE, () => visit(stage.service, target, NEXT));
      assert.deepEqual(
        members.map((one) => counts.get(one)),
        [MORE / 2, MORE / 2],
      );
      assert.equal(connectionsThatWaited() - waitedBefore, 0);
    });

    test(`any slot is chosen where that is wished, and further tries have slots: ${target}`, async () => {
      await using stage = await servedBy(`${vip}:80/tcp`, members, { balance: "random" });
      const counts = await crowd(120, () => visit(stage.service, target, ANY));
      for (const one of members) assert.ok((counts.get(one) ?? 0) > 20, [...counts].join());
      const tries = await Promise.all([1, 2].map((slot) => visit(stage.service, target, slot)));
      assert.deepEqual(new Set(tries), new Set(members));
    });
  }
});
