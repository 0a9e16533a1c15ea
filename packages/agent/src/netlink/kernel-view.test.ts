// Which device is primary without an operator's word: routes, carrier and wires, as messages say.

import assert from "node:assert/strict";
import { mkdir, mkdtempDisposable } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { type DeviceName, parseDeviceName, present } from "@fairlead/model";

import { type KernelMessages, kernelView } from "./kernel-view.ts";
import { findWireless } from "./wireless.ts";

const device = (text: string): DeviceName => present(parseDeviceName(text), text);
const DOWN = 2;
const UP = 6;

/** Devices eth0, eth1, wlan0 with indexes 1 to 3. */
function messages(
  states: readonly number[],
  routes: readonly (readonly [index: number, metric: number, family?: number])[],
): KernelMessages {
  return {
    links: ["eth0", "eth1", "wlan0"].map((ifname, i) => ({
      data: { index: i + 1, flags: { up: true as const } },
      attrs: { ifname, operstate: states[i] ?? UP },
    })),
    addresses: [],
    routes: routes.map(([oif, priority, family = 2]) => ({
      data: { family, dstLen: 0, table: 254, type: 1 },
      attrs: { oif, priority },
    })),
  };
}

const cases = [
  {
    name: "the lowest metric",
    given: messages(
      [],
      [
        [1, 200],
        [2, 100],
      ],
    ),
    primary: "eth1",
  },
  {
    name: "IPv4 before IPv6",
    given: messages(
      [],
      [
        [1, 1, 10],
        [2, 100],
      ],
    ),
    primary: "eth1",
  },
  {
    name: "one that is up",
    given: messages(
      [UP, DOWN],
      [
        [1, 200],
        [2, 100],
      ],
    ),
    primary: "eth0",
  },
  {
    name: "one without carrier, if there is no other",
    given: messages([DOWN], [[1, 1]]),
    primary: "eth0",
  },
  {
    name: "a wire before a radio",
    given: messages(
      [],
      [
        [3, 1],
        [1, 100],
      ],
    ),
    primary: "eth0",
  },
  { name: "no radio without a word", given: messages([], [[3, 1]]), primary: undefined },
  { name: "none without a default route", given: messages([], []), primary: undefined },
] as const;

for (const { name, given, primary } of cases) {
  test(`the primary device is ${name}`, () => {
    const { links } = kernelView(given, { wireless: new Set([device("wlan0")]) });
    assert.equal(links.find((link) => link.primary)?.name, primary);
  });
}

test("an operator may name a radio", () => {
  const wireless = new Set([device("wlan0")]);
  const { links } = kernelView(messages([], [[1, 1]]), { primaryLink: device("wlan0"), wireless });
  assert.equal(links.find((link) => link.primary)?.name, "wlan0");
});

test("a device with a radio is known by sysfs", async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), "fairlead-net-"));
  await mkdir(join(folder.path, "wlan0", "phy80211"), { recursive: true });
  await mkdir(join(folder.path, "eth0"));
  const names = ["eth0", "wlan0", "gone0"].map(device);
  assert.deepEqual([...(await findWireless(names, folder.path))], ["wlan0"]);
});

test("what kube-proxy has on kube-ipvs0 counted as held: a successor said that it was the holder", () => {
  const { links } = messages([], []);
  const ipvs = {
    data: { index: 9, flags: { up: true as const } },
    attrs: { ifname: "kube-ipvs0" },
  };
  const at = (index: number): KernelMessages["addresses"][number] => ({
    data: { family: 2, prefixlen: 32, index },
    attrs: { local: Buffer.of(192, 0, 2, 99 + index) },
  });
  const addresses = [at(1), at(9)];
  const view = kernelView({ links: [...links, ipvs], addresses, routes: [] });
  assert.deepEqual(
    view.addresses.map(({ address, link }) => `${address} ${link}`),
    ["192.0.2.100 eth0"],
  );
  assert.equal(view.links.length, 3);
});
