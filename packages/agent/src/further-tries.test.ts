// What becomes of a connection whose first try fails where the kernel chooses the slot, with nginx
// as the agent renders and runs it: it goes to further slots. The first try fails by a member that
// is dead, and by ports of nginx's own that are all taken.

import assert from "node:assert/strict";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { connect, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { before as atFirst, test } from "node:test";

import { createSystemClock } from "@fairlead/runtime";
import { inSandbox, listenerOf } from "@fairlead/testkit";

import { daemonOf } from "./dying-agent.ts";
import { ip, makeNeighbour } from "./neighbour-stage.ts";
import { createServiceRoutes } from "./netlink/service-routes.ts";
import { fillBy, OPTIONS } from "./nft/member-stage.ts";
import { createMemberTable, forgetMembers } from "./nft/member-table.ts";
import { supervisedIn } from "./nginx-stage.ts";
import { renderedFile, servedOf } from "./rendered-file.ts";

const SETTINGS = { workerProcesses: 2, workerConnections: 256 };
const VIP = "192.0.2.11";
const MEMBERS = ["10.0.0.1", "10.0.0.2"];
/** Hosts that are there, and listen no more. */
const DEAD = ["10.0.0.3", "10.0.0.4"];
const PORT = 8001;
const IP = "/usr/sbin/ip";
const PORT_RANGE = "/proc/sys/net/ipv4/ip_local_port_range";
/** Ports of nginx's own towards one port of the target. */
const FEW_PORTS = { text: "40000 40007", count: 8 };
/** In connection tracking: one that stays, to the port that stands for all of 24 slots. */
const FIRST = / ESTABLISHED src=\S+ dst=198\.18\.0\.1 sport=\d+ dport=2024 /;
/** Of clients, which come from this host too: no other program has one of these. */
const FIRST_CLIENT_PORT = 50_000;
const OTHER_PORTS = "32768 49999";

/** nginx serves on `PORT` with these members; those of `MEMBERS` say their address, and stay. */
async function stage(name: string, members: readonly string[]): Promise<AsyncDisposable> {
  await using stack = new AsyncDisposableStack();
  const { layout, supervisor } = await supervisedIn(stack, name);
  for (const host of MEMBERS) {
    const sockets = new Set<Socket>();
    const server = createServer((socket) => {
      sockets.add(socket.on("error", () => undefined));
      socket.write(host);
    }).listen(9001, host);
    await once(server, "listening");
    stack.defer(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
  }
  const placesFile = join(layout.runDir, "places");
  const table = stack.use(await createMemberTable({ ...OPTIONS, placesFile }));
  stack.defer(() => forgetMembers(OPTIONS.nft));
  const placed = await fillBy(listenerOf)(table, [
    [`${VIP}:${PORT}/tcp`, members.map((host) => `${host}:9001`)],
  ]);
  const served = placed.map(({ listener, members: set, place }) => servedOf(listener, set, place));
  const generation = "0123456789abcdef";
  const file = renderedFile(layout.nginx, generation, served, SETTINGS);
  await daemonOf(layout.nginx, supervisor.nginx).apply(file, generation);
  return stack.move();
}

/** Connects from a port of its own; the first words, or why there are none. */
async function visit(
  localPort: number,
): Promise<{ readonly said: string; readonly socket: Socket }> {
  const socket = connect({ host: VIP, port: PORT, localPort });
  const said = await new Promise<string>((resolve) => {
    socket.once("data", (data) => resolve(String(data)));
    socket.once("close", () => resolve("closed"));
    socket.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  });
  return { said, socket };
}

/** So many clients that stay until all are there; how many each member has. */
async function crowd(
  count: number,
  whileThere: () => Promise<void> = () => Promise.resolve(),
): Promise<ReadonlyMap<string, number>> {
  const counts = new Map<string, number>();
  const sockets: Socket[] = [];
  for (let client = 0; client < count; client += 1) {
    const { said, socket } = await visit(FIRST_CLIENT_PORT + client);
    counts.set(said, (counts.get(said) ?? 0) + 1);
    sockets.push(socket);
  }
  await whileThere();
  for (const socket of sockets) socket.resetAndDestroy();
  return counts;
}

inSandbox({ file: import.meta.url, name: "further-tries", timeoutMs: 60_000 }, () => {
  atFirst(async () => {
    await makeNeighbour(["address add 192.0.2.12/24 dev eth0"]);
    await ip(
      ...[...MEMBERS, ...DEAD].map((host) => `address add ${host}/32 dev lo`),
      "link set lo up",
    );
    await writeFile(PORT_RANGE, OTHER_PORTS);
    await using _ = await createServiceRoutes({ ip: IP, clock: createSystemClock(), ...OPTIONS });
  });

  test("each client is served while one of three members lives", async () => {
    const [living = ""] = MEMBERS;
    await using _ = await stage("dead", [living, ...DEAD]);
    assert.deepEqual([...(await crowd(30))], [[living, 30]]);
  });

  test("each client is served when nginx has no port left for a first try", async () => {
    await using _ = await stage("ports", MEMBERS);
    const before = await readFile(PORT_RANGE, "utf8");
    await writeFile(PORT_RANGE, FEW_PORTS.text);
    const counts = await crowd(2 * FEW_PORTS.count, async () => {
      const flows = (await readFile("/proc/net/nf_conntrack", "utf8")).split("\n");
      const first = flows.filter((flow) => FIRST.test(flow));
      assert.ok(first.length > 0 && first.length <= FEW_PORTS.count, String(first.length));
    });
    await writeFile(PORT_RANGE, before);
    assert.deepEqual(new Set(counts.keys()), new Set(MEMBERS));
  });
});
