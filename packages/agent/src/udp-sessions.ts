// How many sessions nginx has over UDP: each has a socket that is connected to its member. Read
// from the kernel's tables; the host's own few connected sockets count too, as whose a socket is
// stands in folders of other users.

import { readFile } from "node:fs/promises";

const TABLES = ["/proc/net/udp", "/proc/net/udp6"];
/** `  7: 0100007F:9C40 0100007F:235D 01 ...`: number, local end, remote end, state. */
const CONNECTED = /^ *[0-9]+: \S+ \S+ 01 /gm;

/** Connected UDP sockets of this host. */
export async function countUdpSessions(): Promise<number> {
  const texts = await Promise.all(TABLES.map((path) => readFile(path, "utf8").catch(() => "")));
  return texts.reduce((sum, text) => sum + Array.from(text.matchAll(CONNECTED)).length, 0);
}
