// Judges what the kernel takes and what its sysctls bound: features of nftables, filters of the
// way back, answers to neighbours, ports, connections, files. Pure: facts in, lines out.

import type { KernelFacts } from "./kernel-facts.ts";
import { type HostLine, type HostVerdict, hostLine } from "./host-line.ts";
import type { LinkSysctls, NetworkSysctls } from "./sysctl-facts.ts";
import { TIME_WAIT_REUSE } from "./time-wait-reuse.ts";

/** Files of one worker that connections may take: two each. */
const CONNECTION_FILES = 16_384;
/** Logs, event queues, sockets between nginx's own processes. */
const OTHER_FILES = 64;
const LISTENERS_FEW = 1000;
const LOCAL_PORTS_FEW = 20_000;
const CONNTRACK_FEW = 65_536;
const CONNTRACK_HIGH = 0.75;
const CONNTRACK_FULL = 0.95;
/** TIME_WAIT of the kernel, in seconds. */
const TIME_WAIT_SECONDS = 60;

/** One line of the kernel itself, then one a feature. */
export function kernelLines({ release, nftVersion, features }: KernelFacts): readonly HostLine[] {
  const about = nftVersion === undefined ? release : `${release}, ${nftVersion}`;
  return [
    hostLine("kernel", { subject: "release", found: about }),
    ...features.map(({ name, problem }) =>
      problem === undefined
        ? hostLine("kernel", { subject: name, found: "taken" })
        : hostLine("kernel", {
            subject: name,
            found: problem,
            verdict: "warning",
            remedy: "use a kernel with nf_tables and its modules; do the check as root",
          }),
    ),
  ];
}

/**
 * The line of what ends connections to a removed member at both ends, and those to an address that
 * left (ADR 0031 and 0037).
 * @param problem what the kernel says against it.
 */
export function socketEndingLine(problem: string | undefined): HostLine {
  const subject = "socket-destroy";
  if (problem === undefined) return hostLine("kernel", { subject, found: "taken" });
  return hostLine("kernel", {
    subject,
    found: problem,
    verdict: "warning",
    remedy:
      "use a kernel with CONFIG_INET_DIAG_DESTROY: until then a client of a removed member " +
      "learns of it when one of the two sends next, after the drain time, and one of an address " +
      "that left this host when it sends itself",
  });
}

/** Lines of the sysctls, those of single devices first. */
export function sysctlLines(facts: NetworkSysctls): readonly HostLine[] {
  const isMany = facts.links.length > 1;
  return [
    ...facts.links.flatMap((link) => linkLines(link, isMany)),
    facts.ipv6Disabled
      ? hostLine("ipv6", {
          subject: "net.ipv6.conf.all.disable_ipv6",
          found: "IPv6 is switched off",
          verdict: "warning",
          remedy: "sysctl -w net.ipv6.conf.all.disable_ipv6=0, if VIPs of IPv6 are wanted",
        })
      : hostLine("ipv6", { subject: "net.ipv6.conf.all.disable_ipv6", found: "0" }),
    ...lowPortLines(facts),
    ...localPortLines(facts),
    ...timeWaitLines(facts),
    conntrackLine(facts.conntrack),
    openFilesLine(facts.openFilesMax),
  ];
}

function linkLines(facts: LinkSysctls, isMany: boolean): HostLine[] {
  const { link, rpFilter, arpIgnore, arpAnnounce } = facts;
  const lines: HostLine[] = [];
  const subject = (name: string): string => `net.ipv4.conf.${link}.${name}`;
  const set = (name: string, value: number): string => `sysctl -w ${subject(name)}=${value}`;
  if (rpFilter !== undefined) {
    const isBad = isMany && rpFilter === 1;
    lines.push(
      hostLine("rp-filter", {
        ...numbered(subject("rp_filter"), rpFilter, isBad),
        remedy: isBad ? `sysctl -w net.ipv4.conf.all.rp_filter=2; ${set("rp_filter", 2)}` : "",
      }),
    );
  }
  if (arpIgnore !== undefined) {
    const verdict = arpIgnoreVerdict(arpIgnore, isMany);
    const remedy = verdict === "ok" ? "" : set("arp_ignore", 1);
    const line = numbered(subject("arp_ignore"), arpIgnore, false);
    lines.push(hostLine("arp-ignore", { ...line, verdict, remedy }));
  }
  if (arpAnnounce !== undefined) {
    const isBad = isMany && arpAnnounce === 0;
    lines.push(
      hostLine("arp-announce", {
        ...numbered(subject("arp_announce"), arpAnnounce, isBad),
        remedy: isBad ? set("arp_announce", 2) : "",
      }),
    );
  }
  return lines;
}

function numbered(
  subject: string,
  value: number,
  isBad: boolean,
): Pick<HostLine, "subject" | "found" | "verdict"> {
  return { subject, found: String(value), verdict: isBad ? "warning" : "ok" };
}

function arpIgnoreVerdict(value: number, isMany: boolean): HostVerdict {
  if (value === 8) return "error";
  return value === 2 || (value === 0 && isMany) ? "warning" : "ok";
}

function lowPortLines({ lowPortsEnd }: NetworkSysctls): HostLine[] {
  const subject = "net.ipv4.ip_unprivileged_port_start";
  return lowPortsEnd === undefined
    ? []
    : [hostLine("low-ports", { subject, found: String(lowPortsEnd) })];
}

function localPortLines({ localPorts }: NetworkSysctls): HostLine[] {
  if (localPorts === undefined) return [];
  const subject = "net.ipv4.ip_local_port_range";
  const [first, last] = localPorts;
  const count = last - first + 1;
  const found = `${first} to ${last}: ${count} ports`;
  if (count >= LOCAL_PORTS_FEW) return [hostLine("local-ports", { subject, found })];
  const remedy = `sysctl -w ${subject}="32768 60999"`;
  return [hostLine("local-ports", { subject, found, verdict: "warning", remedy })];
}

function timeWaitLines({ timeWaitReuse, localPorts }: NetworkSysctls): HostLine[] {
  if (timeWaitReuse === undefined) return [];
  const subject = TIME_WAIT_REUSE;
  if (timeWaitReuse === "on") return [hostLine("time-wait", { subject, found: "1" })];
  if (timeWaitReuse === "to-be-set") {
    return [hostLine("time-wait", { subject, found: "2, set when the agent starts" })];
  }
  const [first, last] = localPorts ?? [0, 0];
  const bound = Math.floor((last - first + 1) / TIME_WAIT_SECONDS);
  const most = localPorts === undefined ? "" : `: at most ${bound} a second of one listener`;
  const found = `${timeWaitReuse === "off" ? 0 : 2}${most}`;
  const remedy = `sysctl -w ${subject}=1, if one gets more than that`;
  return [hostLine("time-wait", { subject, found, verdict: "warning", remedy })];
}

function conntrackLine(facts: NetworkSysctls["conntrack"]): HostLine {
  const subject = "net.netfilter.nf_conntrack_max";
  if (facts === undefined) return hostLine("conntrack", { subject, found: "nothing is tracked" });
  const { count, max } = facts;
  const found = `${count} of ${max} connections`;
  const fill = max === 0 ? 0 : count / max;
  const isLow = max !== 0 && max < CONNTRACK_FEW;
  const verdict =
    fill >= CONNTRACK_FULL ? "error" : isLow || fill >= CONNTRACK_HIGH ? "warning" : "ok";
  const wanted = Math.max(4 * CONNTRACK_FEW, 2 * max);
  const remedy = verdict === "ok" ? "" : `sysctl -w ${subject}=${wanted}`;
  return hostLine("conntrack", { subject, found, verdict, remedy });
}

function openFilesLine(hard: number | undefined): HostLine {
  const subject = "NOFILE";
  if (hard === undefined) return hostLine("open-files", { subject, found: "unlimited" });
  const room = Math.max(0, hard - CONNECTION_FILES - OTHER_FILES);
  const found = `at most ${hard}: room for ${room} listeners beside ${CONNECTION_FILES / 2} connections`;
  const verdict = room === 0 ? "error" : room < LISTENERS_FEW ? "warning" : "ok";
  const remedy = verdict === "ok" ? "" : "LimitNOFILE=1048576 in the agent's unit, or ulimit -Hn";
  return hostLine("open-files", { subject, found, verdict, remedy });
}
