// Seeing who has addresses on a real kernel in a sandbox: a thousand that another host has, some
// that nobody has, both families; what it costs; and nothing is left in the neighbour table.

import assert from "node:assert/strict";
import { test } from "node:test";
import { type Address, parseAddress, parseDeviceName, present } from "@fairlead/model";
import { createSystemClock } from "@fairlead/runtime";
import { laneAnchor } from "@fairlead/render";
import { inSandbox, laneOf } from "@fairlead/testkit";
import { makeNeighbour, NEIGHBOUR_MAC, run } from "../neighbour-stage.ts";
import { createNetlinkSight } from "./netlink-sight.ts";

const clock = createSystemClock();
const OTHER_MAC = "02:00:00:00:88:88";
const LINK = present(parseDeviceName("eth0"), "a good name");

function address(text: string): Address {
  return present(parseAddress(text), "a good address");
}

/** What only who holds a lane has, as keepalived puts it on the device. */
const ANCHORS = ["a=192.0.2.11", "a=2001:db8::11"].map((agent) =>
  laneAnchor(laneOf({ routerId: 51, order: [agent] })),
);

const vip = (n: number): string => `198.51.${100 + (n >> 8)}.${n & 255}`;

/** A neighbour that has a thousand addresses and one of IPv6. */
async function neighbour(): Promise<void> {
  await makeNeighbour([
    "address add 192.0.2.12/24 dev eth0",
    "address add 2001:db8::50/128 dev eth0 nodad",
    `address add ${ANCHORS[0]?.address}/32 dev eth0 scope link`,
    `address add ${ANCHORS[1]?.address}/128 dev eth0 nodad`,
    ...Array.from({ length: 1000 }, (_, n) => `address add ${vip(n)}/32 dev eth0`),
  ]);
}

inSandbox({ file: import.meta.url, name: "sight" }, () => {
  test("who answers is seen by its MAC address, and silence is seen as silence", async () => {
    await neighbour();
    await using sight = await createNetlinkSight({ clock });
    const asked = ["198.51.100.7", "192.0.2.99", "2001:db8::50", "2001:db8::51"].map(address);
    let seen = await sight.see(LINK, asked);
    // Carrier comes a moment after both ends are up, and whoever asks before gets no answer.
    for (
      let tries = 0;
      tries < 30 && seen.get(address("2001:db8::50"))?.mac !== NEIGHBOUR_MAC;
      tries++
    ) {
      seen = await sight.see(LINK, asked);
    }
    assert.deepEqual(
      asked.map((one) => seen.get(one)?.mac),
      [NEIGHBOUR_MAC, "", NEIGHBOUR_MAC, ""],
    );
    const table = await run("/usr/sbin/ip", ["neigh", "show"]);
    for (const one of asked) assert.ok(!table.includes(one), `${one} is not left in the table`);
  });

  test("who holds a lane answers for the lane's anchor, of both families", async () => {
    await using sight = await createNetlinkSight({ clock });
    const anchors = ANCHORS.map((anchor) => anchor.address);
    const seen = await sight.see(LINK, anchors);
    assert.deepEqual(
      anchors.map((one) => seen.get(one)?.mac),
      [NEIGHBOUR_MAC, NEIGHBOUR_MAC],
    );
  });

  test("what the kernel knew before is no answer", async () => {
    await using sight = await createNetlinkSight({ clock });
    const gone = address("192.0.2.98");
    await run("/usr/sbin/ip", ["neigh", "add", gone, "lladdr", NEIGHBOUR_MAC, "dev", "eth0"]);
    assert.deepEqual(await sight.see(LINK, [gone]), new Map([[gone, { mac: "" }]]));
    const moved = address("192.0.2.12");
    await run("/usr/sbin/ip", ["neigh", "replace", moved, "lladdr", OTHER_MAC, "dev", "eth0"]);
    assert.deepEqual(await sight.see(LINK, [moved]), new Map([[moved, { mac: NEIGHBOUR_MAC }]]));
  });

  test("a thousand addresses cost a few milliseconds of a core", async (t) => {
    await using sight = await createNetlinkSight({ clock });
    const many = Array.from({ length: 1000 }, (_, n) => address(vip(n)));
    await sight.see(LINK, many);
    const before = process.cpuUsage();
    const seen = await sight.see(LINK, many);
    const { user, system } = process.cpuUsage(before);
    assert.equal(seen.size, 1000);
    assert.ok([...seen.values()].every(({ mac }) => mac === NEIGHBOUR_MAC));
    t.diagnostic(`1000 addresses: ${((user + system) / 1000).toFixed(1)} ms of a core`);
  });

  test("a device that is not there shows nothing", async () => {
    await using sight = await createNetlinkSight({ clock });
    const link = present(parseDeviceName("gone0"), "a good name");
    await assert.rejects(sight.see(link, [address("192.0.2.12")]), { code: "NO_DEVICE" });
  });
});
