// What the check says of kernels and sysctls, a line at a time: the good host says nothing that has
// to be mended, and each row changes one thing of it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { kernelLines, socketEndingLine, sysctlLines } from "./judge-kernel.ts";
import type { LinkSysctls, NetworkSysctls } from "./sysctl-facts.ts";

const eth0: LinkSysctls = { link: "eth0", rpFilter: 0, arpIgnore: 0, arpAnnounce: 0 };
const GOOD: NetworkSysctls = {
  links: [eth0],
  ipv6Disabled: false,
  lowPortsEnd: 1024,
  localPorts: [32_768, 60_999],
  timeWaitReuse: "on",
  conntrack: { count: 10, max: 262_144 },
  openFilesMax: 1_048_576,
};

const two = (change: Partial<LinkSysctls>): readonly LinkSysctls[] => [
  { ...eth0, rpFilter: 2, arpIgnore: 1, arpAnnounce: 2, ...change },
  { link: "eth1", rpFilter: 2, arpIgnore: 1, arpAnnounce: 2 },
];

/** What is not well, as `verdict subject: found -> remedy`. */
function wrongOf(facts: Partial<NetworkSysctls>): readonly string[] {
  return sysctlLines({ ...GOOD, ...facts })
    .filter(({ verdict }) => verdict !== "ok")
    .map(({ verdict, subject, found, remedy }) => `${verdict} ${subject}: ${found} -> ${remedy}`);
}

const cases: readonly {
  readonly name: string;
  readonly facts: Partial<NetworkSysctls>;
  readonly wanted: readonly string[];
}[] = [
  { name: "a good host", facts: {}, wanted: [] },
  { name: "a host with two devices that keep apart", facts: { links: two({}) }, wanted: [] },
  {
    name: "a strict filter on a host with one device is fine",
    facts: { links: [{ ...eth0, rpFilter: 1 }] },
    wanted: [],
  },
  {
    name: "a strict filter beside another device",
    facts: { links: two({ rpFilter: 1 }) },
    wanted: [
      "warning net.ipv4.conf.eth0.rp_filter: 1 -> " +
        "sysctl -w net.ipv4.conf.all.rp_filter=2; sysctl -w net.ipv4.conf.eth0.rp_filter=2",
    ],
  },
  {
    name: "devices that answer for each other",
    facts: { links: two({ arpIgnore: 0, arpAnnounce: 0 }) },
    wanted: [
      "warning net.ipv4.conf.eth0.arp_ignore: 0 -> sysctl -w net.ipv4.conf.eth0.arp_ignore=1",
      "warning net.ipv4.conf.eth0.arp_announce: 0 -> sysctl -w net.ipv4.conf.eth0.arp_announce=2",
    ],
  },
  {
    name: "answers within an address's own prefix alone",
    facts: { links: [{ ...eth0, arpIgnore: 2 }] },
    wanted: [
      "warning net.ipv4.conf.eth0.arp_ignore: 2 -> sysctl -w net.ipv4.conf.eth0.arp_ignore=1",
    ],
  },
  {
    name: "no answers at all",
    facts: { links: [{ ...eth0, arpIgnore: 8 }] },
    wanted: ["error net.ipv4.conf.eth0.arp_ignore: 8 -> sysctl -w net.ipv4.conf.eth0.arp_ignore=1"],
  },
  {
    name: "IPv6 switched off",
    facts: { ipv6Disabled: true },
    wanted: [
      "warning net.ipv6.conf.all.disable_ipv6: IPv6 is switched off -> " +
        "sysctl -w net.ipv6.conf.all.disable_ipv6=0, if VIPs of IPv6 are wanted",
    ],
  },
  {
    name: "few ports for connections to members",
    facts: { localPorts: [40_000, 40_999] },
    wanted: [
      "warning net.ipv4.ip_local_port_range: 40000 to 40999: 1000 ports -> " +
        'sysctl -w net.ipv4.ip_local_port_range="32768 60999"',
    ],
  },
  {
    name: "ports that stay taken for a minute",
    facts: { timeWaitReuse: "loopback" },
    wanted: [
      "warning net.ipv4.tcp_tw_reuse: 2: at most 470 a second of one listener -> " +
        "sysctl -w net.ipv4.tcp_tw_reuse=1, if one gets more than that",
    ],
  },
  {
    name: "ports that the agent will use again",
    facts: { timeWaitReuse: "to-be-set" },
    wanted: [],
  },
  {
    name: "a small table of connections",
    facts: { conntrack: { count: 5, max: 4096 } },
    wanted: [
      "warning net.netfilter.nf_conntrack_max: 5 of 4096 connections -> " +
        "sysctl -w net.netfilter.nf_conntrack_max=262144",
    ],
  },
  {
    name: "a table of connections that fills",
    facts: { conntrack: { count: 200_000, max: 262_144 } },
    wanted: [
      "warning net.netfilter.nf_conntrack_max: 200000 of 262144 connections -> " +
        "sysctl -w net.netfilter.nf_conntrack_max=524288",
    ],
  },
  {
    name: "a table of connections that is full",
    facts: { conntrack: { count: 262_000, max: 262_144 } },
    wanted: [
      "error net.netfilter.nf_conntrack_max: 262000 of 262144 connections -> " +
        "sysctl -w net.netfilter.nf_conntrack_max=524288",
    ],
  },
  {
    name: "few open files",
    facts: { openFilesMax: 16_512 },
    wanted: [
      "warning NOFILE: at most 16512: room for 64 listeners beside 8192 connections -> " +
        "LimitNOFILE=1048576 in the agent's unit, or ulimit -Hn",
    ],
  },
  {
    name: "too few open files",
    facts: { openFilesMax: 4096 },
    wanted: [
      "error NOFILE: at most 4096: room for 0 listeners beside 8192 connections -> " +
        "LimitNOFILE=1048576 in the agent's unit, or ulimit -Hn",
    ],
  },
  {
    name: "a host that has none of it",
    facts: {
      links: [{ link: "eth0", rpFilter: undefined, arpIgnore: undefined, arpAnnounce: undefined }],
      lowPortsEnd: undefined,
      localPorts: undefined,
      timeWaitReuse: undefined,
      conntrack: undefined,
      openFilesMax: undefined,
    },
    wanted: [],
  },
];

for (const { name, facts, wanted } of cases) {
  test(`check of sysctls: ${name}`, () => assert.deepEqual(wrongOf(facts), wanted));
}

test("check of the kernel: what it does not take is a warning, in its own words", () => {
  const features = [{ name: "maps" }, { name: "nat-ipv4", problem: "Error: no such file" }];
  const lines = kernelLines({ release: "6.1.0", nftVersion: "nftables v1.0.6", features });
  assert.deepEqual(
    lines.map(({ verdict, subject, found }) => `${verdict} ${subject} ${found}`),
    ["ok release 6.1.0, nftables v1.0.6", "ok maps taken", "warning nat-ipv4 Error: no such file"],
  );
});

test("check of the kernel: one that ends no sockets is said, with what comes of it", () => {
  const { verdict, subject, found, remedy } = socketEndingLine("Request rejected: EOPNOTSUPP");
  assert.equal(
    `${verdict} ${subject} ${found}`,
    "warning socket-destroy Request rejected: EOPNOTSUPP",
  );
  assert.match(remedy, /CONFIG_INET_DIAG_DESTROY.*when one of the two sends next/);
  assert.equal(socketEndingLine(undefined).verdict, "ok");
});

test("check of the kernel: without nft nothing is said of features", () => {
  const lines = kernelLines({ release: "6.1.0", features: [] });
  assert.deepEqual(
    lines.map(({ found }) => found),
    ["6.1.0"],
  );
});
