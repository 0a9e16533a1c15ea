// The end of what is left of removed members, on a real kernel in a sandbox: TCP after the drain
// time, at both ends, and nobody else's; UDP at once, by going on elsewhere; what an earlier agent
// left behind; and ten thousand flows together.

import assert from "node:assert/strict";
import { type Socket as Datagrams, createSocket } from "node:dgram";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { mkdtempDisposable } from "node:fs/promises";
import { type Socket, connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { type Address, present, type Revision } from "@fairlead/model";
import { createFakeClock, createLogger, runProgram } from "@fairlead/runtime";
import { address, inSandbox, listenerOf } from "@fairlead/testkit";

import { createMemberEndings } from "./member-endings.ts";
import type { MemberFlows, MemberTable } from "./member-ports.ts";
import { createNetlinkFlows } from "./netlink/netlink-flows.ts";
import { createServiceRoutes } from "./netlink/service-routes.ts";
import { createMemberTable } from "./nft/member-table.ts";
import { parseServiceRanges, SERVICE_NETWORKS } from "./service-ranges.ts";

const IP = "/usr/sbin/ip";
const RANGES = present(parseServiceRanges(SERVICE_NETWORKS), "the default networks");
const TARGETS: readonly Address[] = [RANGES.ipv4.target, address("fdfa:1ead::1")];
const DRAIN_MS = 30_000;
const [A, B, SIX] = ["10.0.0.1", "10.0.0.2", "fd00::7"];

async function addAddress(host: string): Promise<void> {
  const args = ["address", "replace", host, "dev", "lo"];
  const result = await runProgram({
    command: IP,
    args,
    timeoutMs: 10_000,
    maxOutputBytes: 10_000,
  });
  assert.equal(result.code, 0, result.stderr);
}

/** A member that echoes over TCP and says its name over UDP; it counts who it hears. */
async function memberAt(host: string): Promise<AsyncDisposable & { readonly ended: () => number }> {
  await addAddress(host);
  let ended = 0;
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.on("close", () => {
      ended += 1;
    });
    socket.pipe(socket);
  });
  server.listen(8080, host);
  await once(server, "listening");
  const datagrams = createSocket(host.includes(":") ? "udp6" : "udp4");
  datagrams.on("message", (_, from) => datagrams.send(host, from.port, from.address));
  datagrams.bind(8080, host);
  await once(datagrams, "listening");
  return {
    ended: () => ended,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      datagrams.close();
      server.close();
      await once(server, "close");
    },
  };
}

/** Connects as nginx does, and has been answered. */
async function connectFrom(service: Address, slot: number): Promise<Socket> {
  const host = service.includes(":") ? "fdfa:1ead::1" : "198.18.0.1";
  const socket = connect({ host, port: slot, localAddress: service });
  socket.on("error", () => undefined);
  await echo(socket);
  return socket;
}

async function echo(socket: Socket): Promise<void> {
  socket.write("there?");
  const [said] = (await once(socket, "data")) as [Buffer];
  assert.equal(said.toString(), "there?");
}

/** Why the socket ended; it is a reset that nginx sees. */
async function closed(socket: Socket): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<unknown>();
  socket.once("error", resolve);
  assert.match(String(await promise), /ECONNABORTED/);
}

/** A session of nginx's over UDP: one socket for all datagrams of a client. */
async function sessionFrom(service: Address, slot: number): Promise<Datagrams> {
  const socket = createSocket("udp4");
  socket.bind(0, service);
  await once(socket, "listening");
  socket.connect(slot, "198.18.0.1");
  await once(socket, "connect");
  return socket;
}

async function asked(session: Datagrams): Promise<string> {
  session.send("who?");
  const [said] = (await once(session, "message")) as [Buffer];
  return said.toString();
}

type Entries = readonly (readonly [at: string, members: readonly string[]])[];

/** Fills a table as a plan of these would. Resolves with their service addresses. */
async function fill(table: MemberTable, entries: Entries): Promise<readonly Address[]> {
  const wanted = entries.map(([at, members]) => {
    const [listener, set] = listenerOf(at, members, { drainTimeoutMs: DRAIN_MS });
    return { listener, members: set, membersRevision: members.join() as Revision };
  });
  const places = await table.place(new Map(wanted.map((one) => [one.listener.name, one])));
  const placed = wanted.map((one) => {
    return { ...one, place: present(places.get(one.listener.name), "a place for each") };
  });
  await table.fill(new Map(placed.map((one) => [one.place.service, one])));
  return placed.map(({ place }) => place.service);
}

interface Stage extends AsyncDisposable {
  readonly table: MemberTable;
  readonly flows: MemberFlows;
  /** Moves time on; what the kernel is asked on the way is answered then. */
  advance(ms: number): Promise<void>;
  /** Members that the kernel tracks flows to, each once. */
  tracked(): Promise<readonly string[]>;
}

async function makeStage(placesFile: string): Promise<Stage> {
  const log = createLogger({ level: "silent", format: "json" });
  const clock = createFakeClock();
  const flows = await createNetlinkFlows({ targets: TARGETS });
  const asking = new Set<Promise<unknown>>();
  const waitedFor: MemberFlows = {
    list: () => noted(asking, flows.list()),
    end: (some) => noted(asking, flows.end(some)),
    [Symbol.asyncDispose]: async () => flows[Symbol.asyncDispose](),
  };
  const options = { nft: "/usr/sbin/nft", ranges: RANGES, logger: log, placesFile };
  await using _ = await createServiceRoutes({ ip: IP, ranges: RANGES, clock, logger: log });
  const kernel = await createMemberTable({ ...options, random: Math.random });
  const table = createMemberEndings({ table: kernel, flows: waitedFor, clock, log });
  return {
    flows,
    table,
    advance: async (ms) => {
      await clock.advance(ms);
      while (asking.size > 0) {
        await Promise.all(asking);
        await clock.settle();
      }
    },
    tracked: async () => {
      return [...new Set((await flows.list()).map(({ member }) => member))].toSorted();
    },
    [Symbol.asyncDispose]: async () => table[Symbol.asyncDispose](),
  };
}

async function noted<T>(asking: Set<Promise<unknown>>, work: Promise<T>): Promise<T> {
  asking.add(work);
  return await work.finally(() => asking.delete(work));
}

inSandbox({ file: import.meta.url, name: "member-endings", timeoutMs: 90_000 }, () => {
  // As an agent's preflight does: nginx connects from addresses that no device has.
  writeFileSync("/proc/sys/net/ipv6/ip_nonlocal_bind", "1");

  test("of TCP it comes after the drain time, to both ends, and to nobody else", async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), "fairlead-endings-"));
    await using a = await memberAt(A);
    await using b = await memberAt(B);
    await using six = await memberAt(SIX);
    await using stage = await makeStage(join(folder.path, "p"));
    const { table } = stage;
    const web = "192.0.2.100:80/tcp";
    const over6 = "[2001:db8::100]:80/tcp".replace(/[[\]]/g, "");
    const [one, two] = await fill(table, [
      [web, [`${A}:8080`, `${B}:8080`]],
      [over6, [`${SIX}:8080`]],
    ]);
    assert.ok(one !== undefined && two !== undefined);
    const [toA, toB, toSix] = await Promise.all([
      connectFrom(one, 1),
      connectFrom(one, 2),
      connectFrom(two, 1),
    ]);
    await fill(table, [
      [web, [`${B}:8080`]],
      [over6, []],
    ]);
    await stage.advance(50);
    await stage.advance(DRAIN_MS - 1000);
    await Promise.all([toA, toB, toSix].map(echo));
    assert.deepEqual(await stage.tracked(), [A, B, SIX].toSorted());
    const ends = [toA, toSix].map(closed);
    await stage.advance(2000);
    await Promise.all(ends);
    await echo(toB);
    assert.deepEqual(await stage.tracked(), [B]);
    assert.deepEqual([a.ended(), six.ended(), b.ended()], [1, 1, 0]);
    toB.destroy();
  });

  test("of UDP it comes at once: the session goes on with another member", async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), "fairlead-endings-"));
    await using _a = await memberAt(A);
    await using _b = await memberAt(B);
    await using stage = await makeStage(join(folder.path, "p"));
    const { table } = stage;
    const dns = "192.0.2.100:53/udp";
    const [service] = await fill(table, [[dns, [`${A}:8080`, `${B}:8080`]]]);
    assert.ok(service !== undefined);
    await stage.advance(2000);
    const sessions = [await sessionFrom(service, 1), await sessionFrom(service, 2)];
    assert.deepEqual(await Promise.all(sessions.map(asked)), [A, B]);
    await fill(table, [[dns, [`${B}:8080`]]]);
    await stage.advance(50);
    assert.deepEqual(await Promise.all(sessions.map(asked)), [B, B]);
    for (const session of sessions) session.close();
  });

  test("what an earlier agent left behind ends as well, and what it kept stays", async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), "fairlead-endings-"));
    const placesFile = join(folder.path, "p");
    await using _a = await memberAt(A);
    await using _b = await memberAt(B);
    const [web, old] = ["192.0.2.100:80/tcp", "192.0.2.101:80/tcp"];
    const sockets = await (async () => {
      await using before = await makeStage(placesFile);
      const services = await fill(before.table, [
        [web, [`${A}:8080`, `${B}:8080`]],
        [old, [`${B}:8080`]],
      ]);
      const [one, two] = [present(services[0], "one"), present(services[1], "two")];
      return await Promise.all([connectFrom(one, 1), connectFrom(one, 2), connectFrom(two, 1)]);
    })();
    const [toA, toB, toOld] = sockets;
    await using stage = await makeStage(placesFile);
    await fill(stage.table, [[web, [`${B}:8080`]]]);
    await stage.advance(50);
    const ends = [toA, toOld].map(closed);
    await stage.advance(DRAIN_MS + 100);
    await ends[0];
    await Promise.all([toB, toOld].map(echo));
    // Nobody remembers the drain time of a listener that is gone.
    await stage.advance(600_000);
    await ends[1];
    await echo(toB);
    toB.destroy();
  });

  test("a connection that was closed or reset is none any more", async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), "fairlead-endings-"));
    await using _a = await memberAt(A);
    await using stage = await makeStage(join(folder.path, "p"));
    const [service] = await fill(stage.table, [["192.0.2.100:80/tcp", [`${A}:8080`]]]);
    assert.ok(service !== undefined);
    const [toClose, toReset, kept] = await Promise.all(
      [1, 2, 3].map((slot) => connectFrom(service, slot)),
    );
    assert.ok(toClose !== undefined && toReset !== undefined && kept !== undefined);
    const slots = async (): Promise<readonly number[]> => {
      // Sessions of others are there still.
      const own = (await stage.flows.list()).filter(({ protocol }) => protocol === "tcp");
      return own.map(({ slot }) => slot).toSorted((a, b) => a - b);
    };
    assert.deepEqual(await slots(), [1, 2, 3]);
    const ends = [once(toClose, "close"), once(toReset, "close")];
    toClose.end();
    toReset.resetAndDestroy();
    await Promise.all(ends);
    assert.deepEqual(await slots(), [3]);
    kept.destroy();
  });

  test("ten thousand flows end together in a second or two, and none of them is another's", async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), "fairlead-endings-"));
    await using _b = await memberAt(B);
    await using stage = await makeStage(join(folder.path, "p"));
    const dns = "192.0.2.100:53/udp";
    const kept = "192.0.2.101:53/udp";
    await addAddress(A);
    const places = await fill(stage.table, [
      [dns, [`${A}:8080`]],
      [kept, [`${B}:8080`]],
    ]);
    const [service, other] = [present(places[0], "one"), present(places[1], "other")];
    await stage.advance(2000);
    const session = await sessionFrom(other, 1);
    assert.equal(await asked(session), B);
    await openFlows(service, 10_000);
    assert.deepEqual(await stage.tracked(), [A, B]);
    await fill(stage.table, [[kept, [`${B}:8080`]]]);
    const begunMs = performance.now();
    await stage.advance(50);
    const tookMs = performance.now() - begunMs;
    assert.deepEqual(await stage.tracked(), [B]);
    assert.ok(tookMs < 5000, `${tookMs} ms`);
    process.stdout.write(`# 10 000 flows listed and ended in ${Math.round(tookMs)} ms\n`);
    session.close();
  });
});

/** Flows of UDP, 20 of each socket. */
async function openFlows(service: Address, count: number): Promise<void> {
  const slots = 20;
  for (let opened = 0; opened < count; opened += slots) {
    const socket = createSocket("udp4");
    socket.bind(0, service);
    await once(socket, "listening");
    const sent = Array.from({ length: slots }, (_, slot) => {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      socket.send("x", slot + 1, "198.18.0.1", (error) => (error ? reject(error) : resolve()));
      return promise;
    });
    await Promise.all(sent);
    socket.close();
  }
}
