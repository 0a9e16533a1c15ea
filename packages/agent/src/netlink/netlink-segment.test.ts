// Asking a segment on a real kernel in a sandbox: a neighbour in a namespace of its own answers or
// is silent, in both families, and nothing is left in the neighbour table.

import assert from "node:assert/strict";
import { test } from "node:test";
import { type Address, parseAddress, parseDeviceName, present } from "@fairlead/model";
import { createSystemClock } from "@fairlead/runtime";
import { inSandbox } from "@fairlead/testkit";
import { makeNeighbour, NEIGHBOUR_MAC, run } from "../neighbour-stage.ts";
import type { Question } from "../ports.ts";
import { createNetlinkSegment } from "./netlink-segment.ts";

const clock = createSystemClock();

function address(text: string): Address {
  return present(parseAddress(text), "a good address");
}

function question(text: string, peers: readonly string[] = []): Question {
  const link = present(parseDeviceName("eth0"), "a good name");
  return { address: address(text), link, peers: peers.map(address) };
}

/** A neighbour that has these addresses. */
async function neighbour(addresses: readonly string[]): Promise<void> {
  const nodad = (text: string): string => (text.includes(":") ? " nodad" : "");
  await makeNeighbour(addresses.map((text) => `address add ${text} dev eth0${nodad(text)}`));
}

inSandbox({ file: import.meta.url, name: "segment" }, () => {
  test("strangers answer by their MAC address, silence is silence, and peers are no strangers", async () => {
    await neighbour(["192.0.2.12/24", "192.0.2.50/32", "2001:db8::12/64", "2001:db8::50/128"]);
    await using segment = await createNetlinkSegment({ clock });
    const asked = ["192.0.2.50", "192.0.2.51", "203.0.113.9", "2001:db8::50", "2001:db8::51"];
    // Carrier comes a moment after both ends are up, and whoever asks before gets no answer.
    let answers = new Map<Address, string>();
    for (let tries = 0; tries < 30 && answers.size < 2; tries++) {
      answers = new Map(await segment.ask(asked.map((text) => question(text))));
    }
    assert.deepEqual(
      [...answers],
      [
        [address("192.0.2.50"), NEIGHBOUR_MAC],
        [address("2001:db8::50"), NEIGHBOUR_MAC],
      ],
    );
    const table = await run("/usr/sbin/ip", ["neigh", "show"]);
    for (const text of asked) assert.ok(!table.includes(text), `${text} is not left in the table`);
    const peers = ["192.0.2.12"];
    const own = await segment.ask([question("192.0.2.50", peers), question("2001:db8::50", peers)]);
    assert.deepEqual([...own], [], "what a host of ours answers for is no stranger's");
  });

  test("a thousand questions are asked in four goes, and a table of 1 024 entries bears them", async () => {
    await using segment = await createNetlinkSegment({ clock });
    const many = Array.from({ length: 1000 }, (_, i) =>
      question(`198.51.${100 + (i >> 8)}.${i & 255}`),
    );
    const begunMs = clock.nowMs();
    const answers = await segment.ask([question("192.0.2.50"), ...many]);
    const tookMs = clock.nowMs() - begunMs;
    assert.deepEqual([...answers.values()], [NEIGHBOUR_MAC]);
    assert.ok(tookMs >= 400, `${tookMs} ms are less than four goes take`);
  });

  test("a device that is not there has nobody on it", async () => {
    await using segment = await createNetlinkSegment({ clock });
    const link = present(parseDeviceName("gone0"), "a good name");
    await assert.rejects(segment.ask([{ ...question("192.0.2.50"), link }]), {
      code: "NO_DEVICE",
    });
  });
});
