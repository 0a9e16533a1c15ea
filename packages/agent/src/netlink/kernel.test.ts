// The kernel's adapter on a real kernel in a sandbox: what `ip` did is what is seen, and bursts of
// changes and removals do no harm.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { parseAddress, parseDeviceName, present } from "@fairlead/model";
import { createLogger, createSystemClock, runProgram } from "@fairlead/runtime";
import { inSandbox } from "@fairlead/testkit";
import type { Kernel, KernelAddress } from "../ports.ts";
import { watchByProgram } from "./ip-monitor.ts";
import { createNetlinkKernel } from "./kernel.ts";

const clock = createSystemClock();
const logger = createLogger({ level: "silent", format: "json" });
const ipProgram = "/usr/sbin/ip";
const HOUR_MS = 3_600_000;

/** Runs lines of `ip -batch`. */
async function ip(...lines: readonly string[]): Promise<void> {
  const result = await runProgram({
    command: ipProgram,
    args: ["-batch", "-"],
    input: `${lines.join("\n")}\n`,
    timeoutMs: 10_000,
    maxOutputBytes: 4096,
  });
  assert.equal(result.code, 0, result.stderr);
}

function batchSync(lines: readonly string[]): void {
  execFileSync(ipProgram, ["-batch", "-"], { input: `${lines.join("\n")}\n`, timeout: 30_000 });
}

function entry(address: string, prefixLength: number, link: string): KernelAddress {
  return {
    address: present(parseAddress(address), "a good address"),
    prefixLength,
    link: present(parseDeviceName(link), "a good name"),
  };
}

/** The kernel counts down from `wholeMs`, and has begun just now. */
function assertRunsFrom(wholeMs: number, validMs: number | undefined): void {
  assert.ok(validMs !== undefined && validMs <= wholeMs, `${validMs} ms`);
  assert.ok(validMs > wholeMs - HOUR_MS / 2, `${validMs} ms`);
}

/** Resolves at the next change. */
function changed(kernel: Kernel): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const watch = kernel.onChange(() => {
    watch[Symbol.dispose]();
    resolve();
  });
  return promise;
}

inSandbox({ file: import.meta.url, name: "netlink" }, () => {
  test("links with carrier, addresses of both families and the default route are seen", async () => {
    await ip(
      "link add eth0 address 02:00:00:00:00:01 type veth peer name peer0",
      "link add eth1 type veth peer name peer1",
      "link set eth0 up",
      "link set peer0 up",
      "link set eth1 up",
      "address add 192.0.2.11/24 dev eth0",
      "address add 192.0.2.100/32 dev eth0 label eth0:lb",
      "address add 2001:db8::11/64 dev eth0 nodad",
      "route add default via 192.0.2.1",
    );
    await using kernel = await createNetlinkKernel({ clock, logger, ipProgram });
    const { links, addresses } = await kernel.view();
    const eth0 = present(
      links.find((link) => link.name === "eth0"),
      "eth0 is there",
    );
    assert.equal(eth0.mac, "02:00:00:00:00:01");
    assert.equal(eth0.up, true);
    assert.equal(eth0.primary, true);
    assert.deepEqual(
      eth0.prefixes.map((prefix) => `${prefix.address}/${prefix.length}`),
      ["192.0.2.11/24", "192.0.2.100/32", "2001:db8::11/64"],
    );
    const eth1 = links.find((link) => link.name === "eth1");
    assert.equal(eth1?.up, false, "its peer is down, so it has no carrier");
    assert.equal(eth1.primary, false);
    assert.equal(
      links.some((link) => link.name === "lo"),
      false,
    );
    assert.deepEqual(
      addresses.find((found) => found.address === "192.0.2.100"),
      { ...entry("192.0.2.100", 32, "eth0"), label: "eth0:lb" },
    );
  });

  test("the operator's link is primary, whatever the routes say", async () => {
    const primaryLink = present(parseDeviceName("eth1"), "a good name");
    await using kernel = await createNetlinkKernel({ clock, logger, ipProgram, primaryLink });
    const { links } = await kernel.view();
    assert.deepEqual(
      links.filter((link) => link.primary).map((link) => link.name),
      ["eth1"],
    );
  });

  test("an address is removed once, and what is not there is no error", async () => {
    await using kernel = await createNetlinkKernel({ clock, logger, ipProgram });
    const change = changed(kernel);
    assert.equal(await kernel.removeAddress(entry("192.0.2.100", 32, "eth0")), true);
    await change;
    assert.equal(await kernel.removeAddress(entry("192.0.2.100", 32, "eth0")), false);
    assert.equal(await kernel.removeAddress(entry("192.0.2.100", 32, "gone0")), false);
    await ip("address add 2001:db8::100/128 dev eth0 nodad");
    assert.equal(await kernel.removeAddress(entry("2001:db8::100", 128, "eth0")), true);
    const { addresses } = await kernel.view();
    assert.equal(
      addresses.some((found) => found.address.endsWith("100")),
      false,
    );
  });

  test("an address is put on a device, marked as ours, and lives as long as it is renewed", async () => {
    await using kernel = await createNetlinkKernel({ clock, logger, ipProgram });
    const vip = entry("192.0.2.50", 24, "eth0");
    const six = entry("2001:db8::50", 64, "eth0");
    const find = async (wanted: KernelAddress): Promise<KernelAddress | undefined> =>
      (await kernel.view()).addresses.find((found) => found.address === wanted.address);
    assert.equal(await kernel.routeLength(vip), 24);
    assert.equal(await kernel.routeLength(six), 64);
    assert.equal(await kernel.routeLength(entry("203.0.113.1", 32, "eth0")), undefined);
    await ip("route add 203.0.113.0/28 dev eth0");
    assert.equal(await kernel.routeLength(entry("203.0.113.1", 32, "eth0")), 28);
    await Promise.all([vip, six].map((one) => kernel.putAddress({ ...one, validMs: HOUR_MS })));
    for (const [put, label] of [[vip, { label: "eth0:fl" }] as const, [six, {}] as const]) {
      const { validMs, ...found } = present(await find(put), "it was put");
      assert.deepEqual(found, { ...put, ...label });
      assertRunsFrom(HOUR_MS, validMs);
    }
    await kernel.putAddress({ ...vip, validMs: 2 * HOUR_MS });
    assertRunsFrom(2 * HOUR_MS, (await find(vip))?.validMs);
    await kernel.putAddress(vip);
    assert.equal((await find(vip))?.validMs, undefined, "without an end");
    await kernel.putAddress({ ...six, validMs: 1000 });
    while ((await find(six)) !== undefined) await clock.sleep(100);
    assert.equal(await kernel.removeAddress(vip), true);
    await assert.rejects(kernel.putAddress(entry("192.0.2.50", 24, "gone0")), {
      code: "NO_DEVICE",
    });
  });

  test("a device with a long name has addresses of ours too", async () => {
    await using kernel = await createNetlinkKernel({ clock, logger, ipProgram });
    await ip("link add enp129s0f0np0ab type veth peer name peer2");
    const vip = entry("198.51.100.9", 24, "enp129s0f0np0ab");
    await kernel.putAddress(vip);
    const { addresses } = await kernel.view();
    const found = addresses.find(({ address }) => address === vip.address);
    assert.equal(found?.label, "enp129s0f0np:fl");
    assert.equal(await kernel.removeAddress(vip), true);
  });

  test("a link that loses its carrier is seen as down", async () => {
    await using kernel = await createNetlinkKernel({ clock, logger, ipProgram });
    const change = changed(kernel);
    await ip("link set peer0 down");
    await change;
    for (;;) {
      const { links } = await kernel.view();
      if (links.find((link) => link.name === "eth0")?.up === false) break;
    }
    await ip("link set peer0 up");
  });

  test("a thousand addresses come while the program is busy, and are all removed at once", async () => {
    await using kernel = await createNetlinkKernel({ clock, logger, ipProgram });
    const vips = Array.from({ length: 1000 }, (_, i) =>
      entry(`198.51.${100 + (i >> 8)}.${i & 255}`, 32, "eth0"),
    );
    const adding = ip(...vips.map((vip) => `address add ${vip.address}/32 dev eth0`));
    for (const endMs = clock.nowMs() + 200; clock.nowMs() < endMs;);
    await adding;
    const looks = await Promise.all(Array.from({ length: 20 }, () => kernel.view()));
    assert.equal(looks[19]?.addresses.filter((found) => found.prefixLength === 32).length, 1000);
    const removed = await Promise.all(vips.map((vip) => kernel.removeAddress(vip)));
    assert.deepEqual(new Set(removed), new Set([true]));
    const after = await kernel.view();
    assert.equal(after.addresses.filter((found) => found.prefixLength === 32).length, 0);
  });

  test("five thousand events that come while the program is busy for a second do not end it", async () => {
    await using kernel = await createNetlinkKernel({ clock, logger, ipProgram });
    const told = changed(kernel);
    const places = Array.from({ length: 5000 }, (_, i) => `10.20.${i >> 8}.${i & 255}/32 dev eth0`);
    const endMs = clock.nowMs() + 1000;
    // Blocks: nothing of this program runs before all events wait for it.
    batchSync(places.map((place) => `address add ${place}`));
    while (clock.nowMs() < endMs);
    await told;
    const { addresses } = await kernel.view();
    assert.equal(addresses.filter((found) => found.prefixLength === 32).length, 5000);
    batchSync(places.map((place) => `address delete ${place}`));
    const after = await kernel.view();
    assert.equal(after.addresses.filter((found) => found.prefixLength === 32).length, 0);
  });

  test("where the kernel grants no large buffer, the program ip says that something changed", async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    let seen = 0;
    using _watch = watchByProgram({
      ipProgram,
      clock,
      logger,
      onChange: () => {
        seen += 1;
        // The first is said when it watches; later ones come from the kernel.
        if (seen > 1) resolve();
      },
    });
    let number = 0;
    while (seen < 2) {
      number += 1;
      await ip(`address add 203.0.113.${number}/32 dev eth0`);
    }
    await promise;
  });
});
