// The table of members on a real kernel in a sandbox: a socket that speaks from a service address
// reaches the member of its slot, a change takes new connections alone, an empty slot refuses at
// once, client flows are not tracked, and tables of others stay as they are.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { mkdtempDisposable, readFile } from "node:fs/promises";
import { type Server, type Socket, connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { before as atFirst, test } from "node:test";
import { type Address, present } from "@fairlead/model";
import { createSystemClock } from "@fairlead/runtime";
import { address, inSandbox, listenerOf } from "@fairlead/testkit";
import { ipThere, makeNeighbour } from "../neighbour-stage.ts";
import { createServiceRoutes } from "../netlink/service-routes.ts";
import type { TableSlot } from "../ports.ts";
import { byService, fillBy, NFT, OPTIONS, run } from "./member-stage.ts";
import { createMemberTable, forgetMembers } from "./member-table.ts";

const IP = "/usr/sbin/ip";
/** An address with a listener, and one without, as a client of the neighbour reaches them. */
const TRACKED = [
  { family: "IPv4", vip: "192.0.2.102", other: "192.0.2.103" },
  { family: "IPv6", vip: "2001:db8:1::100", other: "2001:db8:1::101" },
] as const;
const fill = fillBy(listenerOf);

/** A member that says its own address to whoever connects, and echoes. */
async function memberAt(host: string): Promise<AsyncDisposable> {
  await run(IP, [
    "address",
    "replace",
    host.includes(":") ? `${host}/128` : `${host}/32`,
    "dev",
    "lo",
  ]);
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.write(`${host} ${String(socket.remoteAddress)}\n`);
    socket.pipe(socket);
  });
  server.listen(8080, host);
  await once(server, "listening");
  return {
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

/** A client of the neighbour that was answered once, and stays. */
async function visit(host: string): Promise<AsyncDisposable> {
  const script = `exec 3<>/dev/tcp/${host}/8080; head -n1 <&3; read`;
  const client = spawn(IP, ["netns", "exec", "other", "bash", "-c", script]);
  const gone = once(client, "exit");
  const said = await once(client.stdout, "data");
  assert.match(String(said[0]), new RegExp(`^${host} `));
  return {
    [Symbol.asyncDispose]: async () => {
      client.stdin.end();
      await gone;
    },
  };
}

/** Ends of flows, as `/proc/net/nf_conntrack` has them. */
function addressesIn(flows: string): readonly Address[] {
  return [...flows.matchAll(/(?:src|dst)=(\S+)/g)].map(([, text = ""]) => address(text));
}

/** Connects as nginx does; resolves with the first line of the member, or why there is none. */
async function ask(from: string, slot: number, target = "198.18.0.1"): Promise<[string, Socket]> {
  const socket = connect({ host: target, port: slot, localAddress: from });
  socket.setEncoding("utf8");
  const line = await new Promise<string>((resolve) => {
    socket.once("data", (data) => resolve(String(data)));
    socket.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  });
  return [line.trim(), socket];
}

/** Slots of one service address in their order, as the kernel has them. */
function seen(slots: readonly TableSlot[], service: string): readonly string[] {
  return slots
    .filter((one) => one.service === service)
    .toSorted((a, b) => a.slot - b.slot)
    .map(({ protocol, slot, member, memberPort }) => `${protocol} ${slot} ${member} ${memberPort}`);
}

inSandbox({ file: import.meta.url, name: "member-table", timeoutMs: 60_000 }, () => {
  // As an agent's preflight does: nginx connects from addresses that no device has.
  writeFileSync("/proc/sys/net/ipv6/ip_nonlocal_bind", "1");
  atFirst(async () => {
    const routes = { ip: IP, clock: createSystemClock(), ...OPTIONS };
    await using _ = await createServiceRoutes(routes);
    await makeNeighbour([
      "address add 192.0.2.12/24 dev eth0",
      "address add 2001:db8::12/64 dev eth0 nodad",
    ]);
    await ipThere("route add 2001:db8:1::/64 via 2001:db8::11");
  });

  test("connections find their members, and go on when those change", async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), "fairlead-members-"));
    const options = { ...OPTIONS, placesFile: join(folder.path, "p") };
    await run(NFT, ["-f", "-"], "table inet theirs {\n chain c {\n }\n}\n");
    await using _a = await memberAt("10.0.0.1");
    await using _b = await memberAt("10.0.0.2");
    await using _c = await memberAt("fd00::7");
    await using table = await createMemberTable(options);
    const [web, six] = await fill(table, [
      ["192.0.2.100:80/tcp", ["10.0.0.1:8080", "10.0.0.2:8080"]],
      ["2001:db8::100:80/tcp", ["fd00::7:8080"]],
    ]);
    assert.ok(web !== undefined && six !== undefined);
    const { service } = web.place;
    assert.deepEqual(seen(await table.slots(), web.place.service).slice(0, 3), [
      "tcp 1 10.0.0.1 8080",
      "tcp 2 10.0.0.2 8080",
      "tcp 3 10.0.0.1 8080",
    ]);
    assert.equal(seen(await table.slots(), six.place.service)[23], "tcp 24 fd00::7 8080");

    const said = await Promise.all([1, 2].map((slot) => ask(service, slot)));
    assert.deepEqual(
      said.map(([line]) => line.split(" ")[0]),
      ["10.0.0.1", "10.0.0.2"],
    );
    // A member sees an address of the host, and none that it could not answer to.
    assert.doesNotMatch(said.map(([line]) => line).join(), /198\.18\./);
    const [overIpv6] = await ask(six.place.service, 1, "fdfa:1ead::1");
    assert.match(overIpv6, /^fd00::7 /);
    assert.equal((await ask(service, 500))[0], "ECONNREFUSED");

    await fill(table, [["192.0.2.100:80/tcp", ["10.0.0.2:8080"]]]);
    const [after] = await ask(service, 1);
    assert.match(after, /^10\.0\.0\.2 /);
    const [, first] = present(said[0], "a connection to the first member");
    first.write("still there?");
    assert.deepEqual(await once(first, "data"), ["still there?"]);
    assert.equal((await ask(six.place.service, 1, "fdfa:1ead::1"))[0], "ECONNREFUSED");

    await fill(table, [["192.0.2.100:80/tcp", []]]);
    assert.equal((await ask(service, 1))[0], "ECONNREFUSED");
    for (const [, socket] of said) socket.destroy();
    assert.match(await run(NFT, ["list", "tables"]), /inet theirs/);
  });

  test("a slot without a member reaches nothing that the host itself listens with", async () => {
    await using table = await createMemberTable({ ...OPTIONS, placesFile: "/run/places-host" });
    const placed = await fill(table, [
      ["192.0.2.100:80/tcp", ["10.0.0.1:8080"]],
      ["2001:db8::100:80/tcp", ["fd00::7:8080"]],
    ]);
    const host: Server = createServer((socket) => void socket.end("the host\n"));
    host.listen(500, "::");
    await once(host, "listening");
    const said: string[] = [];
    for (const [index, { place }] of placed.entries()) {
      const target = index === 0 ? "198.18.0.1" : "fdfa:1ead::1";
      const [line, socket] = await ask(place.service, 500, target);
      said.push(line);
      socket.destroy();
    }
    host.close();
    assert.deepEqual(said, ["ECONNREFUSED", "ECONNREFUSED"]);
  });

  test("a neighbour who sends to the target reaches nothing that the host listens with", async () => {
    await using table = await createMemberTable({ ...OPTIONS, placesFile: "/run/places-there" });
    await fill(table, []);
    await ipThere("route add 198.18.0.0/15 via 192.0.2.11");
    await using host: Server = createServer((socket) => void socket.end("the host\n"));
    host.listen(501, "::");
    await once(host, "listening");
    const visited = (target: string): Promise<unknown> =>
      run(IP, ["netns", "exec", "other", "bash", "-c", `head -n1 </dev/tcp/${target}/501`]);
    assert.equal(await visited("192.0.2.11"), "the host\n");
    await assert.rejects(visited("198.18.0.1"), /Connection refused/);
  });

  test("a Service that turns to hashing has the slots that every host gives it", async () => {
    await using table = await createMemberTable({ ...OPTIONS, placesFile: "/run/places-hash" });
    const members = Array.from({ length: 10 }, (_, at) => `10.0.0.${at + 1}:8080`);
    const [placed] = await fill(table, [["192.0.2.100:80/tcp", members]]);
    assert.ok(placed !== undefined);
    const hashing = { ...placed, listener: { ...placed.listener, balance: "hash" as const } };
    await table.fill(byService([hashing]));
    const turned = seen(await table.slots(), placed.place.service);
    await table.fill(byService([]));
    await table.fill(byService([hashing]));
    assert.deepEqual(seen(await table.slots(), placed.place.service), turned);
  });

  test("the next agent on the host gives every listener the place that it has", async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), "fairlead-members-"));
    const options = { ...OPTIONS, placesFile: join(folder.path, "p") };
    const entries: [string, string[]][] = [
      ["192.0.2.100:80/tcp", ["10.0.0.1:8080"]],
      ["192.0.2.101:80/tcp", ["10.0.0.1:8080"]],
    ];
    const before = await fill(await createMemberTable(options), entries);
    const after = await fill(await createMemberTable(options), entries.toReversed());
    assert.deepEqual(
      after.map(({ place }) => place),
      before.map(({ place }) => place).toReversed(),
    );
    // Who is gone keeps no address, and nobody gets it either.
    const third = await createMemberTable(options);
    await fill(third, entries.slice(1));
    const [fresh] = await fill(third, [["192.0.2.102:80/tcp", []]]);
    assert.equal(fresh?.place.service, address("198.18.1.2"));
  });

  test("flows between clients and nginx are not tracked", async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), "fairlead-members-"));
    const options = { ...OPTIONS, placesFile: join(folder.path, "p") };
    await using table = await createMemberTable(options);
    await using _vip = await memberAt("192.0.2.100");
    await using _other = await memberAt("192.0.2.101");
    await fill(table, [["192.0.2.100:8080/tcp", []]]);
    const [, untracked] = await ask("127.0.0.1", 8080, "192.0.2.100");
    const [, tracked] = await ask("127.0.0.1", 8080, "192.0.2.101");
    const counted = await run(NFT, ["-f", "-"], COUNTERS).then(async () => {
      for (const socket of [untracked, tracked]) {
        socket.write("x");
        await once(socket, "data");
      }
      return run(NFT, ["list", "chain", "inet", "count", "in"]);
    });
    assert.match(counted, /daddr 192\.0\.2\.100 ct state untracked counter packets [1-9]/);
    assert.match(counted, /daddr 192\.0\.2\.101 ct state untracked counter packets 0 /);
    for (const socket of [untracked, tracked]) socket.destroy();
  });

  for (const { family, vip, other } of TRACKED) {
    test(`of a client of an ${family} listener the kernel has no entry`, async () => {
      await using table = await createMemberTable({ ...OPTIONS, placesFile: `/run/${family}` });
      await using _vip = await memberAt(vip);
      await using _other = await memberAt(other);
      await fill(table, [[`${vip}:8080/tcp`, []]]);
      await using _a = await visit(vip);
      await using _b = await visit(other);
      const flows = await readFile("/proc/net/nf_conntrack", "utf8");
      const isTracked = (one: string) => addressesIn(flows).includes(address(one));
      assert.deepEqual([isTracked(vip), isTracked(other)], [false, true], flows);
    });
  }

  test("an address that is given anew stays untracked when what it was given for goes", async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), "fairlead-members-"));
    await using table = await createMemberTable({ ...OPTIONS, placesFile: join(folder.path, "p") });
    const listed = async (): Promise<string> =>
      await run(NFT, ["list", "set", "inet", "fairlead_members", "listeners4"]);
    const [first] = await fill(table, [["192.0.2.100:80/tcp", ["10.0.0.1:8080"]]]);
    await fill(table, []);
    const [second] = await fill(table, [["192.0.2.100:80/tcp", ["10.0.0.2:8080"]]]);
    assert.ok(first !== undefined && second !== undefined);
    assert.notEqual(first.place.service, second.place.service);
    // nginx still connects for the first, as its old generation does.
    await table.fill(byService([second, first]));
    await table.fill(byService([second]));
    assert.match(await listed(), /192\.0\.2\.100 \. tcp \. 80/);
    await table.fill(byService([]));
    assert.doesNotMatch(await listed(), /192\.0\.2\.100/);
  });

  test("the table goes with the data plane", async () => {
    await forgetMembers(NFT);
    assert.doesNotMatch(await run(NFT, ["list", "tables"]), /fairlead/);
  });

  test("a kernel that has no such tables is said so", async () => {
    const options = { ...OPTIONS, nft: "/bin/false", placesFile: "/none" };
    await assert.rejects(createMemberTable(options), { code: "NFT" });
  });
});

const COUNTERS = `table inet count {
  chain in {
    type filter hook input priority 0;
    ip daddr 192.0.2.100 ct state untracked counter
    ip daddr 192.0.2.101 ct state untracked counter
  }
}
`;
