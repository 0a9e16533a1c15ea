// The default routes of the host as /proc shows them, as text to compare: a dump of its routes
// would have one for each of a thousand VIPs too. Of each only what does not change by itself.

import { readNow } from "../read-or-nothing.ts";

/** `eth0 00000000 010200C0 0003 0 0 100 00000000 ...`: device, network, gateway, flags, metric. */
const IPV4 = /^(\S+)\t0{8}\t(\S+)\t(\S+)\t\S+\t\S+\t(\S+)\t0{8}\t/gm;
/** Network, length, source, length, gateway, metric, two counters, flags, device. */
const IPV6 = /^0{32} 00 \S+ \S+ (\S+) (\S+) \S+ \S+ (\S+) +(\S+)$/gm;

/** All of them; empty where there are none, and where /proc does not say. */
export function defaultRoutes(folder = "/proc/net"): string {
  return [
    ...readNow(`${folder}/route`).matchAll(IPV4),
    ...readNow(`${folder}/ipv6_route`).matchAll(IPV6),
  ]
    .map(([, ...parts]) => parts.join(" "))
    .join("\n");
}
