// Addresses that the host borrows, on a real kernel in a sandbox: they are on lo and do nothing,
// and they go, whatever becomes of the agent.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { RawNetlinkSocket } from "netlink";
import { runProgram } from "@fairlead/runtime";
import { address, inSandbox } from "@fairlead/testkit";

import { BORROWED_S, borrow, giveBack } from "./borrowed-addresses.ts";
import { closeSockets } from "./close-sockets.ts";
import { loadNetlink } from "./load-netlink.ts";
import { openWriter, writeMessages } from "./raw-writer.ts";

const IP = "/usr/sbin/ip";
/** NETLINK_ROUTE (netlink(7)). */
const ROUTES = 0;
const VIP = "192.0.2.100";

async function ip(...args: readonly string[]): Promise<string> {
  const limits = { timeoutMs: 10_000, maxOutputBytes: 65_536 };
  const { code, stdout, stderr } = await runProgram({ command: IP, args, ...limits });
  assert.equal(code, 0, stderr);
  return stdout;
}

interface OnDevice {
  readonly local: string;
  readonly scope: string;
  readonly valid_life_time: number;
}

/** The address on a device as `ip` tells of it. */
async function find(device: string): Promise<OnDevice | undefined> {
  const json = await ip("-json", "address", "show", "dev", device);
  const links = JSON.parse(json) as readonly { readonly addr_info: readonly OnDevice[] }[];
  return links.flatMap((link) => link.addr_info).find(({ local }) => local === VIP);
}

async function routes(): Promise<string> {
  return await ip("route", "show", "table", "local", VIP);
}

inSandbox({ file: import.meta.url, name: "borrowed addresses" }, () => {
  let socket: RawNetlinkSocket;
  const write = (messages: Buffer): Promise<void> => writeMessages(socket, messages);
  before(async () => {
    socket = openWriter(await loadNetlink(), ROUTES);
    await ip("link", "set", "lo", "up");
    await ip("link", "add", "eth0", "type", "veth", "peer", "name", "eth1");
    await ip("link", "set", "eth0", "up");
  });
  after(() => closeSockets(socket));

  test("an agent was killed amid a reset, and its host took what was sent to the new holder", async () => {
    await write(borrow([address(VIP)]));
    const borrowed = await find("lo");
    assert.equal(borrowed?.scope, "host", "no other packet is sent from it");
    const seconds = borrowed?.valid_life_time;
    assert.ok(seconds <= BORROWED_S, `the kernel takes it back after ${seconds} s`);
    assert.equal(await routes(), "", "and nothing leads to it until then");
    await write(giveBack([address(VIP)]));
    assert.equal(await find("lo"), undefined);
  });

  test("an address that came back meanwhile stays, and is reached", async () => {
    await write(borrow([address(VIP)]));
    await ip("address", "add", `${VIP}/32`, "dev", "eth0");
    await write(giveBack([address(VIP)]));
    assert.equal(await find("lo"), undefined);
    assert.notEqual(await find("eth0"), undefined);
    assert.match(await routes(), /^local 192\.0\.2\.100 dev eth0 /);
    await write(borrow([address(VIP)]));
    assert.match(await routes(), /^local 192\.0\.2\.100 dev eth0 [^\n]*\n$/, "and no other route");
    await write(giveBack([address(VIP)]));
    await ip("address", "delete", `${VIP}/32`, "dev", "eth0");
  });

  test("an address that somebody put on lo is not given back", async () => {
    await ip("address", "add", `${VIP}/32`, "dev", "lo");
    await write(giveBack([address(VIP)]));
    assert.notEqual(await find("lo"), undefined);
  });
});
