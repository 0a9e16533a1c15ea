// The routes of the service networks on a real kernel in a sandbox: whoever removes them, and
// however, connections find the table of members again without a restart of the agent.

import assert from "node:assert/strict";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { mkdtempDisposable, readFile, rm, writeFile } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { present } from "@fairlead/model";
import { createFakeClock, createLogger, runProgram } from "@fairlead/runtime";
import { inSandbox } from "@fairlead/testkit";

import type { ServiceRoutes } from "../member-ports.ts";
import { parseServiceRanges, SERVICE_NETWORKS } from "../service-ranges.ts";
import { createServiceRoutes, forgetRoutes } from "./service-routes.ts";

const IP = "/usr/sbin/ip";
const RANGES = present(parseServiceRanges(SERVICE_NETWORKS), "the default networks");
const logger = createLogger({ level: "silent", format: "json" });

async function ip(...args: readonly string[]): Promise<string> {
  const limits = { timeoutMs: 10_000, maxOutputBytes: 100_000 };
  const { code, stderr, stdout } = await runProgram({ command: IP, args, ...limits });
  assert.equal(code, 0, stderr);
  return stdout;
}

/** Whether nginx could bind to a service address and connect to the target of both families. */
async function reach(): Promise<readonly string[]> {
  const said: string[] = [];
  for (const [host, localAddress] of [
    ["198.18.0.1", "198.18.1.2"],
    ["fdfa:1ead::1", "fdfa:1ead::1:2"],
  ] as const) {
    const server = createServer((socket) => socket.destroy()).listen(8080, "::");
    await once(server, "listening");
    const socket = connect({ host, localAddress, port: 8080 });
    const { promise, resolve } = Promise.withResolvers<string>();
    socket.once("connect", () => resolve("connected"));
    socket.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? ""));
    said.push(await promise);
    socket.destroy();
    server.close();
    await once(server, "close");
  }
  return said;
}

const ALL = ["connected", "connected"];

inSandbox({ file: import.meta.url, name: "service-routes", timeoutMs: 60_000 }, () => {
  // As an agent's preflight does: nginx connects from addresses that no device has.
  writeFileSync("/proc/sys/net/ipv6/ip_nonlocal_bind", "1");
  test("traffic goes on after somebody flushed the local routes of the service networks", async () => {
    await using routes = await createRoutes();
    assert.deepEqual(await reach(), ALL);
    for (const family of ["-4", "-6"]) {
      await ip(family, "route", "flush", "table", "local", "proto", "157");
    }
    assert.notDeepEqual(await reach(), ALL);
    assert.deepEqual(await routes.unrouted(), []);
    assert.deepEqual(await reach(), ALL);
  });

  test("traffic goes on after lo went down and came up again", async () => {
    await using routes = await createRoutes();
    await ip("link", "set", "lo", "down");
    await ip("link", "set", "lo", "up");
    assert.notDeepEqual(await reach(), ALL);
    assert.deepEqual(await routes.unrouted(), []);
    assert.deepEqual(await reach(), ALL);
  });

  test("lo that is down is set up", async () => {
    await using routes = await createRoutes({ ranges: { ipv4: RANGES.ipv4 } });
    await ip("link", "set", "lo", "down");
    assert.deepEqual(await routes.unrouted(), []);
    assert.equal((await reach())[0], "connected");
  });

  test("routes that are there cost no process, and those that cannot come back a few", async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), "fairlead-routes-"));
    const broken = join(folder.path, "broken");
    const calls = join(folder.path, "calls");
    const program = join(folder.path, "ip");
    await writeFile(
      program,
      `#!/bin/sh\necho "$*" >>${calls}\n[ ! -e ${broken} ] || { echo no >&2; exit 2; }\nexec ${IP} "$@"\n`,
      { mode: 0o755 },
    );
    const clock = createFakeClock();
    const countCalls = async (): Promise<number> =>
      (await readFile(calls, "utf8")).split("\n").length - 1;
    await using routes = await createRoutes({ ip: program, clock });
    const before = await countCalls();
    assert.deepEqual(await routes.unrouted(), []);
    assert.equal(await countCalls(), before);

    await writeFile(broken, "");
    await ip("-6", "route", "flush", "table", "local", "proto", "157");
    const said = await routes.unrouted();
    assert.deepEqual(
      said.map(({ family, remark: { reason, detail } }) => `${family} ${reason} ${detail}`),
      [
        "ipv6 DataPlaneDown no member is reached: fdfa:1ead::/64 is not routed to lo: " +
          "ip link set lo up: no",
      ],
    );
    assert.equal(await countCalls(), before + 1);
    assert.equal(await routes.unrouted(), said);
    assert.equal(await countCalls(), before + 1);

    await clock.advance(1000);
    assert.equal(await routes.unrouted(), said);
    assert.equal(await countCalls(), before + 2);
    await rm(broken);
    await clock.advance(1000);
    assert.deepEqual(await routes.unrouted(), []);
    assert.deepEqual(await reach(), ALL);
  });

  test("a route of others that comes before ours is said", async () => {
    await using routes = await createRoutes();
    await ip("rule", "add", "pref", "1", "to", "198.18.0.0/15", "unreachable");
    await ip("rule", "add", "pref", "32000", "lookup", "local");
    await ip("rule", "del", "pref", "0");
    const [said] = await routes.unrouted();
    assert.equal(said?.family, "ipv4");
    assert.match(said.remark.detail, /198\.18\.0\.0\/15 is not routed to lo: another route/);
    await ip("rule", "del", "pref", "1");
    assert.deepEqual(await routes.unrouted(), []);
  });

  test("forgotten routes are gone", async () => {
    await using _ = await createRoutes();
    await forgetRoutes(IP);
    assert.equal(await ip("route", "show", "table", "local", "proto", "157"), "");
  });

  test("a host that takes no routes is said so", async () => {
    await assert.rejects(createRoutes({ ip: "/bin/false" }), { code: "ROUTE" });
  });
});

async function createRoutes(
  change: Partial<Parameters<typeof createServiceRoutes>[0]> = {},
): Promise<ServiceRoutes> {
  return await createServiceRoutes({
    ip: IP,
    ranges: RANGES,
    clock: createFakeClock(),
    logger,
    ...change,
  });
}
