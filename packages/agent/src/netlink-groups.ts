// Whether a program hears the kernel by now: the list of netlink sockets says which groups each has
// joined. `nft monitor` and `ip monitor` say nothing when they begin to listen, and on a busy host
// that takes them seconds. It asks the program nothing.

import { readNow } from "./read-or-nothing.ts";

/** What a socket may listen to. */
export interface NetlinkGroup {
  /** Number of the netlink family. */
  readonly family: number;
  /** Number of the group in the family, from 1. */
  readonly group: number;
}

/** Changes of nftables: NETLINK_NETFILTER and NFNLGRP_NFTABLES. */
export const NFTABLES_GROUP: NetlinkGroup = { family: 12, group: 7 };
/** Changes of links: NETLINK_ROUTE and RTNLGRP_LINK. */
export const LINK_GROUP: NetlinkGroup = { family: 0, group: 1 };

const LIST = "/proc/net/netlink";

/** Whether the process listens to the group in our network namespace; not where that is unread. */
export function listensTo(group: NetlinkGroup, pid: number): boolean {
  return isListed(readNow(LIST), group, pid);
}

/**
 * The same by the text of the list: a line is a socket, with its family, its port and the first 32
 * groups as a mask. The port of a process' first socket is the number of the process.
 */
export function isListed(list: string, { family, group }: NetlinkGroup, pid: number): boolean {
  return list.split("\n").some((line) => {
    const [, families, port, groups = ""] = line.trim().split(/\s+/);
    if (families !== String(family) || port !== String(pid)) return false;
    return ((Number.parseInt(groups, 16) >>> (group - 1)) & 1) === 1;
  });
}
