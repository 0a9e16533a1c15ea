// A segment of two hosts on a real kernel, for tests in a sandbox: this one on eth0, and a
// neighbour in a namespace of its own called "other". For tests alone.

import assert from "node:assert/strict";

import { runProgram } from "@fairlead/runtime";

/** The MAC address of the neighbour. */
export const NEIGHBOUR_MAC = "02:00:00:00:99:99";

const NEIGHBOUR = ["-n", "other"];

/** Runs a program, which has to succeed; what it printed. */
export async function run(command: string, args: readonly string[], input = ""): Promise<string> {
  const limits = { timeoutMs: 10_000, maxOutputBytes: 1_048_576 };
  const result = await runProgram({ command, args, input, ...limits });
  assert.equal(result.code, 0, result.stderr);
  return result.stdout;
}

/** Does these lines of `ip` here. */
export async function ip(...lines: readonly string[]): Promise<void> {
  await batch([], lines);
}

/** Does these lines of `ip` at the neighbour. */
export async function ipThere(...lines: readonly string[]): Promise<void> {
  await batch(NEIGHBOUR, lines);
}

/** What `ip` says at the neighbour. */
export async function askThere(...words: readonly string[]): Promise<string> {
  return await run("/usr/sbin/ip", [...NEIGHBOUR, ...words]);
}

/** Makes the segment; these lines of `ip` are the neighbour's, before its device is up. */
export async function makeNeighbour(lines: readonly string[]): Promise<void> {
  // Names of namespaces live in a folder of the machine, which a sandbox may not write.
  await run("/usr/bin/mount", ["-t", "tmpfs", "tmpfs", "/run"]);
  await ip(
    "netns add other",
    `link add eth0 type veth peer name eth0 netns other address ${NEIGHBOUR_MAC}`,
    "address add 192.0.2.11/24 dev eth0",
    "address add 2001:db8::11/64 dev eth0 nodad",
    // The kernel asks from its link-local address, which takes a second where it is not given.
    "link set eth0 addrgenmode none",
    "address add fe80::11/64 dev eth0 nodad",
    "link set eth0 up",
  );
  await ipThere(
    "link set eth0 addrgenmode none",
    "address add fe80::12/64 dev eth0 nodad",
    ...lines,
    "link set eth0 up",
  );
}

async function batch(where: readonly string[], lines: readonly string[]): Promise<void> {
  await run("/usr/sbin/ip", [...where, "-batch", "-"], `${lines.join("\n")}\n`);
}
