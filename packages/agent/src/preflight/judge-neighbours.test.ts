// What the check says of everybody else on the host: each row is one of them, and what an operator
// reads of it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { droppingChains, namesVrrp } from "./firewall-facts.ts";
import type { HostLine } from "./host-line.ts";
import { announcerLines, firewallLines, linkOwnerLines, socketLines } from "./judge-neighbours.ts";
import { type ManagedLink, lastValue } from "./link-owner-facts.ts";
import type { RunningProcess, WaitingSocket } from "./process-facts.ts";

const PORTS = { metrics: 7714, debug: 7712 };
const sshd = { pid: 812, name: "sshd" };

const socketOf = (change: Partial<WaitingSocket>): WaitingSocket => ({
  protocol: "tcp",
  address: "0.0.0.0",
  port: 22,
  owner: sshd,
  isOurs: false,
  ...change,
});
const linkOf = (change: Partial<ManagedLink>): ManagedLink => ({
  link: "eth0",
  networkManager: undefined,
  networkFile: undefined,
  keepConfiguration: undefined,
  ...change,
});
const running = (
  ...names: readonly string[]
): { running: readonly RunningProcess[]; sockets: [] } => ({
  running: names.map((name, index) => ({ name, pid: 100 + index })),
  sockets: [],
});
const said = (lines: readonly HostLine[]): readonly string[] =>
  lines.map(({ verdict, check, subject, found }) => `${verdict} ${check} ${subject}: ${found}`);

const FREE = ["ok agent-port 7714/TCP: free", "ok agent-port 7712/TCP: free"];
const NETWORK = "/etc/systemd/network/10-lan.network";
const drops = { family: "inet", table: "filter", chain: "input", namesVrrp: false };
const noFirewall = { dropping: [], hasLegacyFilter: false };

const cases: readonly {
  readonly name: string;
  readonly lines: readonly HostLine[];
  readonly wanted: readonly string[];
}[] = [
  { name: "nobody listens", lines: socketLines([], PORTS), wanted: FREE },
  {
    name: "sshd on all addresses of both families is one line",
    lines: socketLines([socketOf({}), socketOf({ address: "::" })], PORTS),
    wanted: [...FREE, "warning wildcard-socket 22/TCP: sshd (pid 812) listens on all addresses"],
  },
  {
    name: "sshd on the host's own address is no matter",
    lines: socketLines([socketOf({ address: "10.0.0.1" })], PORTS),
    wanted: FREE,
  },
  {
    name: "a socket whose owner cannot be seen",
    lines: socketLines([{ protocol: "udp", address: "::", port: 53, isOurs: false }], PORTS),
    wanted: [
      ...FREE,
      "warning wildcard-socket 53/UDP: a process that cannot be seen listens on all addresses",
    ],
  },
  {
    name: "the ports of the agent, one its own and one another's",
    lines: socketLines(
      [socketOf({ port: 7714, isOurs: true }), socketOf({ port: 7712, address: "127.0.0.1" })],
      PORTS,
    ),
    wanted: [
      "ok agent-port 7714/TCP: the agent's own",
      "error agent-port 7712/TCP: sshd (pid 812) listens on it",
    ],
  },
  {
    name: "our keepalived and another one",
    lines: socketLines(
      [
        socketOf({
          protocol: "vrrp",
          port: 112,
          isOurs: true,
          owner: { pid: 7, name: "keepalived" },
        }),
        socketOf({ protocol: "vrrp", port: 112, owner: { pid: 9, name: "keepalived" } }),
      ],
      PORTS,
    ),
    wanted: [
      ...FREE,
      "ok vrrp-speaker ours: keepalived (pid 7) listens for protocol 112",
      "warning vrrp-speaker pid-9: keepalived (pid 9) listens for protocol 112",
    ],
  },
  {
    name: "nobody manages devices",
    lines: linkOwnerLines({ links: [linkOf({})], manageForeignRoutes: undefined }, running()),
    wanted: [],
  },
  {
    name: "NetworkManager manages one device and leaves the other alone",
    lines: linkOwnerLines(
      {
        links: [linkOf({ networkManager: true }), linkOf({ link: "eth1", networkManager: false })],
        manageForeignRoutes: undefined,
      },
      running("NetworkManager"),
    ),
    wanted: [
      "warning network-manager eth0: managed by NetworkManager",
      "ok network-manager eth1: not managed",
    ],
  },
  {
    name: "networkd that removes what it did not add",
    lines: linkOwnerLines(
      { links: [linkOf({ networkFile: NETWORK })], manageForeignRoutes: undefined },
      running("systemd-networkd"),
    ),
    wanted: [
      `warning networkd eth0: ${NETWORK}, KeepConfiguration=no`,
      "warning networkd ManageForeignRoutes: yes",
    ],
  },
  {
    name: "networkd that keeps it",
    lines: linkOwnerLines(
      {
        links: [
          linkOf({ networkFile: NETWORK, keepConfiguration: "static" }),
          linkOf({ link: "eth1" }),
        ],
        manageForeignRoutes: "no",
      },
      running("systemd-networkd"),
    ),
    wanted: [
      `ok networkd eth0: ${NETWORK}, KeepConfiguration=static`,
      "ok networkd eth1: not configured by it",
      "ok networkd ManageForeignRoutes: no",
    ],
  },
  {
    name: "others that announce",
    lines: announcerLines(running("speaker", "kube-vip"), { links: ["eth0"], arpIgnore: 0 }),
    wanted: [
      "warning announcer speaker: MetalLB's speaker runs (pid 100)",
      "warning announcer kube-vip: kube-vip runs (pid 101)",
    ],
  },
  {
    name: "kube-proxy without ipvs",
    lines: announcerLines(running("kube-proxy"), { links: ["eth0"], arpIgnore: 0 }),
    wanted: ["ok kube-proxy kube-proxy: runs (pid 100), without ipvs"],
  },
  {
    name: "kube-proxy with ipvs and without strictARP",
    lines: announcerLines(running(), { links: ["eth0", "kube-ipvs0"], arpIgnore: 0 }),
    wanted: ["warning kube-proxy kube-proxy: kube-ipvs0 is there"],
  },
  {
    name: "kube-proxy with ipvs and strictARP",
    lines: announcerLines(running(), { links: ["kube-ipvs0"], arpIgnore: 1 }),
    wanted: ["ok kube-proxy kube-proxy: kube-ipvs0 is there"],
  },
  {
    name: "no firewall",
    lines: firewallLines(noFirewall),
    wanted: ["ok firewall input: no chain drops what it does not know"],
  },
  {
    name: "a firewall that drops VRRP",
    lines: firewallLines({ ...noFirewall, dropping: [drops] }),
    wanted: [
      "warning firewall inet/filter/input: " +
        "drops what no rule accepts, and none names protocol 112",
    ],
  },
  {
    name: "a firewall that knows VRRP",
    lines: firewallLines({ ...noFirewall, dropping: [{ ...drops, namesVrrp: true }] }),
    wanted: ["ok firewall inet/filter/input: drops, and knows protocol 112"],
  },
  {
    name: "rules that cannot be read",
    lines: firewallLines({ dropping: [], hasLegacyFilter: true, unreadable: "not permitted" }),
    wanted: [
      "warning firewall iptables-legacy: the older iptables has rules, which are not looked at",
      "warning firewall nftables: cannot be read: not permitted",
    ],
  },
];

for (const { name, lines, wanted } of cases) {
  test(`check of neighbours: ${name}`, () => {
    assert.deepEqual(said(lines), wanted);
    for (const { verdict, remedy, why, subject } of lines) {
      assert.equal(remedy !== "", verdict !== "ok", "whatever is wrong can be mended");
      assert.ok(why !== "" && !/\s/.test(subject));
    }
  });
}

test("check of neighbours: a host full of sockets gets a list of fifty", () => {
  const many = Array.from({ length: 200 }, (_, index) => socketOf({ port: 1000 + index }));
  assert.equal(socketLines(many, PORTS).length, FREE.length + 50);
});

test("chains that drop are found among others", () => {
  const text = `table ip filter {
	chain FORWARD {
		type filter hook forward priority filter; policy drop;
	}
	chain INPUT {
		type filter hook input priority filter; policy drop;
	}
	chain plain {
	}
}
table bridge b {
	chain input {
		type filter hook input priority filter; policy drop;
	}
}
table inet mine {
	chain open {
		type filter hook input priority filter; policy accept;
	}
}
`;
  assert.deepEqual(droppingChains(text), [{ family: "ip", table: "filter", chain: "INPUT" }]);
});

for (const [rule, wanted] of [
  ["ip protocol vrrp accept", true],
  ["meta l4proto { icmp, vrrp } accept", true],
  ["ip6 nexthdr 112 accept", true],
  ["tcp dport 112 accept", false],
  ["ip protocol icmp accept", false],
] as const) {
  test(`a rule ${wanted ? "names" : "does not name"} VRRP: ${rule}`, () => {
    assert.equal(namesVrrp(`  ${rule}\n`), wanted);
  });
}

test("the last value of a key counts, and comments do not", () => {
  const texts = [
    "[Network]\nKeepConfiguration=no\n",
    "# KeepConfiguration=dhcp\nKeepConfiguration = static\n",
  ];
  assert.equal(lastValue(texts, "KeepConfiguration"), "static");
  assert.equal(lastValue(["KeepConfiguration=\n"], "KeepConfiguration"), undefined);
});
