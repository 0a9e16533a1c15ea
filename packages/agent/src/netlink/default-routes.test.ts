// Default routes are told apart from all others, and from what changes by itself.

import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { defaultRoutes } from "./default-routes.ts";

const IPV4 = [
  "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT     ",
  "eth0\t00000000\t010200C0\t0003\t0\t0\t100\t00000000\t0\t0\t0     ",
  "eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0     ",
  "",
].join("\n");
const ANY = `${"0".repeat(32)} 00 ${"0".repeat(32)} 00`;
const IPV6 = [
  `${ANY} fd000000000000000000000000000001 00000400 00000003 00000000 00000003     eth0`,
  `fe800000000000000000000000000000 40 ${ANY} 00000100 00000002 00000000 00000001     eth0`,
  "",
].join("\n");

async function routesOf(ipv4: string, ipv6: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "routes-"));
  try {
    await writeFile(join(folder, "route"), ipv4);
    await writeFile(join(folder, "ipv6_route"), ipv6);
    return defaultRoutes(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

test("each default route is one line, and no other route is", async () => {
  assert.equal(
    await routesOf(IPV4, IPV6),
    "eth0 010200C0 0003 100\nfd000000000000000000000000000001 00000400 00000003 eth0",
  );
  assert.equal(defaultRoutes("/nowhere"), "");
});

const CHANGES: readonly [string, string, string, boolean][] = [
  ["another IPv4 gateway", IPV4.replace("010200C0", "020200C0"), IPV6, true],
  ["another metric", IPV4.replace("\t100\t", "\t50\t"), IPV6, true],
  ["no IPv4 default route", IPV4.replace("eth0\t00000000", "eth0\t0000000A"), IPV6, true],
  ["another IPv6 device", IPV4, IPV6.replace("00000003     eth0", "00000003     eth1"), true],
  ["another network's route", IPV4.replace("000200C0", "000300C0"), IPV6, false],
  ["a count of users", IPV4, IPV6.replace("00000003 00000000", "00000004 00000007"), false],
];

for (const [name, ipv4, ipv6, isNews] of CHANGES) {
  test(`${name} is ${isNews ? "" : "no "}news`, async () => {
    const [before, after] = [await routesOf(IPV4, IPV6), await routesOf(ipv4, ipv6)];
    assert.equal(before !== after, isNews);
  });
}

test("this host's own are read as they are", () => {
  const text = defaultRoutes();
  for (const line of text.split("\n")) assert.match(line, /^$|^\S+ \S+ \S+ \S+$/);
});
