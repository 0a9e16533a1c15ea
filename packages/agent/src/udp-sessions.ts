// How many sessions nginx has over UDP: each has a socket that is connected to its member. Read
// from the kernel's tables; the host's own few connected sockets count too, as whose a socket is
// stands in folders of other users.

import { readFile } from "node:fs/promises";

import type { Address } from "@fairlead/model";

import { parseKernelAddress } from "./proc-sockets.ts";

const TABLES = ["/proc/net/udp", "/proc/net/udp6"];
/** `  7: 0100007F:9C40 0100007F:235D 01 ...`: number, local end, remote end, state. */
const CONNECTED = /^ *[0-9]+: ([0-9A-F]+):\S+ \S+ 01 /gm;

/** Connected UDP sockets of this host. */
export async function countUdpSessions(): Promise<number> {
  return (await localEnds()).length;
}

/** The same by what they speak from: of nginx the service address of the listener. */
export async function udpSessionsByAddress(): Promise<ReadonlyMap<Address, number>> {
  const byEnd = new Map<string, number>();
  for (const end of await localEnds()) byEnd.set(end, (byEnd.get(end) ?? 0) + 1);
  const counts = new Map<Address, number>();
  for (const [end, count] of byEnd) {
    const address = parseKernelAddress(end);
    if (address !== undefined) counts.set(address, count);
  }
  return counts;
}

async function localEnds(): Promise<readonly string[]> {
  const texts = await Promise.all(TABLES.map((path) => readFile(path, "utf8").catch(() => "")));
  return texts.flatMap((text) => Array.from(text.matchAll(CONNECTED), ([, end = ""]) => end));
}
