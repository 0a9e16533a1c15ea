// One line of `fairlead check --host`, and the closed list of what is looked at: why each matters,
// and when it is a warning or an error. The reference page is made from this table. Pure.

/** What a line says of the host. An error keeps the agent from starting or serving. */
export type HostVerdict = "ok" | "warning" | "error";

/** The kinds of lines. */
export type HostCheck =
  | "program"
  | "version"
  | "capability"
  | "nonlocal-bind"
  | "folder"
  | "link"
  | "service-network"
  | "agent-port"
  | "open-files"
  | "kernel"
  | "rp-filter"
  | "arp-ignore"
  | "arp-announce"
  | "ipv6"
  | "low-ports"
  | "local-ports"
  | "time-wait"
  | "conntrack"
  | "wildcard-socket"
  | "vrrp-speaker"
  | "network-manager"
  | "networkd"
  | "announcer"
  | "kube-proxy"
  | "firewall";

/** What was found of one thing. */
export interface HostLine {
  readonly check: HostCheck;
  /** What of it: a program, a sysctl, a device, a port. Without blanks. */
  readonly subject: string;
  /** What the host has; escaped, on one line. */
  readonly found: string;
  readonly verdict: HostVerdict;
  /** Why it matters. */
  readonly why: string;
  /** A command or an act that helps; empty when nothing has to be done. */
  readonly remedy: string;
}

/** What the reference says of one kind of lines. */
export interface HostCheckEntry {
  /** Why it matters; lower case, no full stop. */
  readonly why: string;
  /** When it is a warning; absent: never. */
  readonly warning?: string;
  /** When it is an error; absent: never. */
  readonly error?: string;
}

/** All kinds, in the order in which they are told. */
export const HOST_CHECKS: Readonly<Record<HostCheck, HostCheckEntry>> = {
  program: {
    why: "the data plane is made of these programs",
    warning: "`nft`, `arping` or `ndptool` is missing: the agent does without, and less",
    error: "a program, or nginx's stream module, is missing",
  },
  version: {
    why: "files are written for these versions and later",
    error: "nginx is older than 1.18.0 or keepalived than 2.2.7, or does not say what it is",
  },
  capability: {
    why: "addresses, VRRP and ports below 1024 need them",
    error: "NET_ADMIN, NET_RAW or NET_BIND_SERVICE is missing",
  },
  "nonlocal-bind": {
    why: "standbys listen on addresses that they do not have yet",
    error: "it is not 1 and cannot be written; where it can, the agent sets it",
  },
  folder: {
    why: "the plan, the ledger and the data plane's files lie there",
    error: "it cannot be used or written, or no folder may hold programs",
  },
  link: {
    why: "addresses are held on the host's devices",
    error: "the device of `--link` is not there",
  },
  "service-network": {
    why: "every address of a service network is this host itself",
    error: "it overlaps the network of a device, or covers the router of a route or a controller",
  },
  "agent-port": {
    why: "the agent serves its metrics and its debug service there",
    error: "another process listens there",
  },
  "open-files": {
    why: "each listener takes a file of nginx's master and of each worker, each connection two",
    warning: "there is room for fewer than 1000 listeners beside the connections",
    error: "there is no room for a single one",
  },
  kernel: {
    why: "addresses are guarded and members switched by nftables",
    warning: "the kernel does not take such rules",
  },
  "rp-filter": {
    why: "a strict filter drops clients whose way back leaves by another device",
    warning: "it is strict, and the host has several devices",
  },
  "arp-ignore": {
    why: "it decides who gets an answer when a neighbour asks for an address",
    warning:
      "it is 2: neighbours outside of an address's own prefix get no answer; " +
      "or it is 0 where several devices would answer for each other",
    error: "it is 8: nobody ever gets an answer",
  },
  "arp-announce": {
    why: "the host should not ask its neighbours in the name of another device's address",
    warning: "it is 0 and the host has several devices",
  },
  ipv6: {
    why: "addresses of IPv6 need it",
    warning: "it is switched off for all devices",
  },
  "low-ports": {
    why: "nginx binds ports below this one with NET_BIND_SERVICE alone",
  },
  "local-ports": {
    why: "each connection to a member takes a port of its own",
    warning: "there are fewer than 20000 ports",
  },
  "time-wait": {
    why: "ports stay taken for a minute after each connection to a member that nginx ends",
    warning:
      "they are not used again before, which bounds new connections of one listener: it is 0, or " +
      "2 and cannot be written; where it can, the agent sets 1",
  },
  conntrack: {
    why: "where the table of connections is full, the kernel drops new ones",
    warning: "it holds fewer than 65536 connections, or is filled to three quarters",
    error: "it is filled to 95 %",
  },
  "wildcard-socket": {
    why:
      "who listens on all addresses keeps every Service from that port, and without nftables " +
      "answers on every address that comes to the host",
    warning: "a process that is not ours does",
  },
  "vrrp-speaker": {
    why: "a second speaker of VRRP may use the same router ids",
    warning: "a process that is not ours listens for VRRP",
  },
  "network-manager": {
    why: "NetworkManager removes what it did not add when it brings a device up again",
    warning: "it runs, and manages the device",
  },
  networkd: {
    why: "systemd-networkd removes addresses and routes that it did not add when it configures",
    warning: "it configures the device without `KeepConfiguration`, or manages foreign routes",
  },
  announcer: {
    why: "two programs that answer for addresses of one range end in two holders",
    warning: "another one runs here: MetalLB, kube-vip, and others",
  },
  "kube-proxy": {
    why: "in mode ipvs it puts the address of every Service on kube-ipvs0",
    warning: "kube-ipvs0 is there, and the host answers for its addresses (no strictARP)",
  },
  firewall: {
    why:
      "keepalived's peers speak protocol 112; one that hears its holder no more takes the " +
      "addresses beside it, and one that never heard it is kept out of the lane",
    warning: "a chain drops what it does not know, and no rule names protocol 112",
  },
};

/** Makes a line; what the host has should be short. */
export function hostLine(
  check: HostCheck,
  line: Pick<HostLine, "subject" | "found"> & Partial<Pick<HostLine, "verdict" | "remedy" | "why">>,
): HostLine {
  const { subject, found, verdict = "ok", remedy = "", why = HOST_CHECKS[check].why } = line;
  return { check, subject, found, verdict, why, remedy };
}
