// Asking a segment on a real kernel in a sandbox: a neighbour in a namespace of its own answers or
// is silent, in both families, and nothing is left in the neighbour table.

import assert from "node:assert/strict";
import { test } from "node:test";
import { type Address, parseAddress, parseDeviceName, present } from "@fairlead/model";
import { createSystemClock, runProgram } from "@fairlead/runtime";
import { inSandbox } from "@fairlead/testkit";
import type { Question } from "../ports.ts";
import { createNetlinkSegment } from "./netlink-segment.ts";

const clock = createSystemClock();
const MAC = "02:00:00:00:99:99";

async function run(command: string, args: readonly string[], input = ""): Promise<string> {
  const limits = { timeoutMs: 10_000, maxOutputBytes: 65_536 };
  const result = await runProgram({ command, args, input, ...limits });
  assert.equal(result.code, 0, result.stderr);
  return result.stdout;
}

function address(text: string): Address {
  return present(parseAddress(text), "a good address");
}

function question(text: string, peers: readonly string[] = []): Question {
  const link = present(parseDeviceName("eth0"), "a good name");
  return { address: address(text), link, peers: peers.map(address) };
}

/** A neighbour on eth0 in a namespace of its own that has these addresses. */
async function neighbour(addresses: readonly string[]): Promise<void> {
  // Names of namespaces live in a folder of the machine, which a sandbox may not write.
  await run("/usr/bin/mount", ["-t", "tmpfs", "tmpfs", "/run"]);
  const nodad = (text: string): string => (text.includes(":") ? " nodad" : "");
  const lines = [
    "netns add other",
    `link add eth0 type veth peer name eth0 netns other address ${MAC}`,
    "address add 192.0.2.11/24 dev eth0",
    "address add 2001:db8::11/64 dev eth0 nodad",
    // The kernel asks from its link-local address, which takes a second where it is not given.
    "link set eth0 addrgenmode none",
    "address add fe80::11/64 dev eth0 nodad",
    "link set eth0 up",
  ];
  await run("/usr/sbin/ip", ["-batch", "-"], `${lines.join("\n")}\n`);
  const inside = [
    "link set eth0 addrgenmode none",
    "address add fe80::12/64 dev eth0 nodad",
    ...addresses.map((text) => `address add ${text} dev eth0${nodad(text)}`),
    "link set eth0 up",
  ];
  await run("/usr/sbin/ip", ["-n", "other", "-batch", "-"], `${inside.join("\n")}\n`);
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
        [address("192.0.2.50"), MAC],
        [address("2001:db8::50"), MAC],
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
    assert.deepEqual([...answers.values()], [MAC]);
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
