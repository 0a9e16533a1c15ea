// The sysctls of the network, of all devices and of single ones, and what they bound. It reads and
// sets nothing. Given the devices that matter.

import { hardLimitOf } from "../open-files.ts";
import { readOrNothing } from "../read-or-nothing.ts";
import { readTimeWaitReuse, type TimeWaitReuse } from "./time-wait-reuse.ts";

/** Sysctls of one device; a kernel without one gives an empty text. */
export interface LinkSysctls {
  readonly link: string;
  /** The stricter one of the device's and that of all devices; undefined when unknown. */
  readonly rpFilter: number | undefined;
  readonly arpIgnore: number | undefined;
  readonly arpAnnounce: number | undefined;
}

/** What was read. Undefined: the host has no such thing. */
export interface NetworkSysctls {
  readonly links: readonly LinkSysctls[];
  readonly ipv6Disabled: boolean;
  /** First port that anybody may bind. */
  readonly lowPortsEnd: number | undefined;
  /** First and last port of connections from here. */
  readonly localPorts: readonly [number, number] | undefined;
  readonly timeWaitReuse: TimeWaitReuse | undefined;
  /** Undefined: connections are not tracked, or not yet. */
  readonly conntrack: { readonly count: number; readonly max: number } | undefined;
  /** Hard limit of open files of a process started from here; undefined: none. */
  readonly openFilesMax: number | undefined;
}

const IPV4 = "/proc/sys/net/ipv4";
const CONNTRACK = "/proc/sys/net/netfilter/nf_conntrack";

/** Reads them. Never rejects. */
export async function readNetworkSysctls(links: readonly string[]): Promise<NetworkSysctls> {
  const count = await readNumber(`${CONNTRACK}_count`);
  const max = await readNumber(`${CONNTRACK}_max`);
  const ports = (await readOrNothing(`${IPV4}/ip_local_port_range`)).trim().split(/\s+/);
  const [first = Number.NaN, last = Number.NaN] = ports.map(Number);
  const limits = await readOrNothing("/proc/self/limits");
  return {
    links: await Promise.all(links.map(readLink)),
    ipv6Disabled: (await readNumber("/proc/sys/net/ipv6/conf/all/disable_ipv6")) !== 0,
    lowPortsEnd: await readNumber(`${IPV4}/ip_unprivileged_port_start`),
    localPorts: Number.isInteger(first) && Number.isInteger(last) ? [first, last] : undefined,
    timeWaitReuse: await readTimeWaitReuse(),
    conntrack: count === undefined || max === undefined ? undefined : { count, max },
    openFilesMax: hardLimitOf(limits),
  };
}

/** The kernel takes the larger one of the device's value and that of all devices. */
async function readLink(link: string): Promise<LinkSysctls> {
  const read = async (name: string): Promise<number | undefined> => {
    const own = await readNumber(`${IPV4}/conf/${link}/${name}`);
    // A device that is not there has no value, whatever that of all devices is.
    if (own === undefined) return undefined;
    return Math.max(own, (await readNumber(`${IPV4}/conf/all/${name}`)) ?? 0);
  };
  return {
    link,
    rpFilter: await read("rp_filter"),
    arpIgnore: await read("arp_ignore"),
    arpAnnounce: await read("arp_announce"),
  };
}

async function readNumber(path: string): Promise<number | undefined> {
  const text = (await readOrNothing(path)).trim();
  return /^\d+$/.test(text) ? Number(text) : undefined;
}
