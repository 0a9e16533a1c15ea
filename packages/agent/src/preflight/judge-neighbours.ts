// Judges what else runs on the host: who listens where our listeners or the agent want to, who else
// speaks VRRP or answers for addresses, and who would take ours away. Pure: facts in, lines out.

import { portText } from "@fairlead/model";
import type { FirewallFacts } from "./firewall-facts.ts";
import { type HostLine, hostLine } from "./host-line.ts";
import type { ManagedLink, LinkOwnerFacts } from "./link-owner-facts.ts";
import type { ProcessFacts, RunningProcess, WaitingSocket } from "./process-facts.ts";

/** Where the agent serves; a port of 0 stands for none. */
export interface AgentPorts {
  readonly metrics: number;
  readonly debug: number;
}

/** Programs that answer for addresses of Services, by the name they run under. */
const ANNOUNCERS: ReadonlyMap<string, string> = new Map([
  ["speaker", "MetalLB's speaker"],
  ["kube-vip", "kube-vip"],
  ["ucarp", "ucarp"],
  ["vrrpd", "vrrpd"],
]);
const NETWORK_MANAGER = "NetworkManager";
const NETWORKD = "systemd-networkd";
const KUBE_PROXY = "kube-proxy";
/** Every name that these judges know. */
export const KNOWN_PROGRAMS: ReadonlySet<string> = new Set([
  ...ANNOUNCERS.keys(),
  NETWORK_MANAGER,
  NETWORKD,
  KUBE_PROXY,
]);
/** A host may have a socket a connection; a longer list helps nobody. */
const SOCKET_LINES_MAX = 50;
const EVERYWHERE: ReadonlySet<string> = new Set(["0.0.0.0", "::"]);

/** Ports of the agent, then sockets on all addresses, then other speakers of VRRP. */
export function socketLines(
  sockets: readonly WaitingSocket[],
  ports: AgentPorts,
): readonly HostLine[] {
  const agents = [ports.metrics, ports.debug].filter((port) => port !== 0);
  const wild = sockets.filter(
    ({ protocol, address, port }) =>
      protocol !== "vrrp" && EVERYWHERE.has(address) && !agents.includes(port),
  );
  const wide = oneEach(wild, portText);
  const speakers = sockets.filter(({ protocol }) => protocol === "vrrp");
  const speaking = oneEach(speakers, ({ owner, isOurs }) =>
    isOurs ? "ours" : `pid-${owner?.pid ?? "unknown"}`,
  );
  return [
    ...agents.map((port) => agentPortLine(sockets, port)),
    ...wide.slice(0, SOCKET_LINES_MAX).map(([subject, socket]) => wildcardLine(subject, socket)),
    ...speaking.map(([subject, socket]) => speakerLine(subject, socket)),
  ];
}

/** Who would take addresses away. */
export function linkOwnerLines(
  facts: LinkOwnerFacts,
  { running }: ProcessFacts,
): readonly HostLine[] {
  const manager = named(running, NETWORK_MANAGER);
  const networkd = named(running, NETWORKD);
  const lines = facts.links.flatMap((link) => [
    ...(manager === undefined ? [] : networkManagerLines(link)),
    ...(networkd === undefined ? [] : networkdLines(link)),
  ]);
  if (networkd === undefined) return lines;
  const keepsRoutes = /^(?:no|false|off|0)$/i.test(facts.manageForeignRoutes ?? "");
  const line = { subject: "ManageForeignRoutes", found: facts.manageForeignRoutes ?? "yes" };
  const remedy = "ManageForeignRoutes=no below [Network] in /etc/systemd/networkd.conf";
  return [
    ...lines,
    hostLine("networkd", keepsRoutes ? line : { ...line, verdict: "warning", remedy }),
  ];
}

/** Who else answers for addresses. `arpIgnore` is the smallest one of the host's devices. */
export function announcerLines(
  { running }: ProcessFacts,
  host: { readonly links: readonly string[]; readonly arpIgnore: number | undefined },
): readonly HostLine[] {
  const announcers = running.flatMap(({ name, pid }) => {
    const said = ANNOUNCERS.get(name);
    if (said === undefined) return [];
    const remedy = `keep ${said} off this host, or its pools apart from ours`;
    const found = `${said} runs (pid ${pid})`;
    return [hostLine("announcer", { subject: name, found, verdict: "warning", remedy })];
  });
  return [...announcers, ...kubeProxyLines(running, host)];
}

/** Who drops what keepalived's peers say. */
export function firewallLines(facts: FirewallFacts): readonly HostLine[] {
  const lines = facts.dropping.map(({ family, table, chain, namesVrrp }) => {
    const subject = `${family}/${table}/${chain}`;
    if (namesVrrp) return hostLine("firewall", { subject, found: "drops, and knows protocol 112" });
    const found = "drops what no rule accepts, and none names protocol 112";
    const remedy = `nft insert rule ${family} ${table} ${chain} meta l4proto 112 accept`;
    return hostLine("firewall", { subject, found, verdict: "warning", remedy });
  });
  if (facts.hasLegacyFilter) {
    const found = "the older iptables has rules, which are not looked at";
    const remedy = "iptables-legacy -S INPUT: see whether protocol 112 is accepted";
    const verdict = "warning";
    lines.push(hostLine("firewall", { subject: "iptables-legacy", found, verdict, remedy }));
  }
  if (facts.unreadable !== undefined) {
    const found = `cannot be read: ${facts.unreadable}`;
    const remedy = "install nftables, and do the check as root";
    lines.push(hostLine("firewall", { subject: "nftables", found, verdict: "warning", remedy }));
  }
  if (lines.length > 0) return lines;
  return [
    hostLine("firewall", { subject: "input", found: "no chain drops what it does not know" }),
  ];
}

function agentPortLine(sockets: readonly WaitingSocket[], port: number): HostLine {
  const subject = portText({ port, protocol: "tcp" });
  const taken = sockets.find((socket) => socket.protocol === "tcp" && socket.port === port);
  if (taken === undefined) return hostLine("agent-port", { subject, found: "free" });
  if (taken.isOurs) return hostLine("agent-port", { subject, found: "the agent's own" });
  const found = `${ownerText(taken)} listens on it`;
  const remedy = "give the agent another one with --listen-metrics or --listen-debug";
  return hostLine("agent-port", { subject, found, verdict: "error", remedy });
}

function wildcardLine(subject: string, socket: WaitingSocket): HostLine {
  const found = `${ownerText(socket)} listens on all addresses`;
  if (socket.isOurs) return hostLine("wildcard-socket", { subject, found });
  const remedy = "let it listen on the host's own addresses alone, and give no Service this port";
  return hostLine("wildcard-socket", { subject, found, verdict: "warning", remedy });
}

function speakerLine(subject: string, socket: WaitingSocket): HostLine {
  const found = `${ownerText(socket)} listens for protocol 112`;
  if (socket.isOurs) return hostLine("vrrp-speaker", { subject, found });
  const remedy = "end it, or keep its router ids apart from those of the segment";
  return hostLine("vrrp-speaker", { subject, found, verdict: "warning", remedy });
}

function networkManagerLines({ link, networkManager }: ManagedLink): HostLine[] {
  if (networkManager !== true) {
    return [hostLine("network-manager", { subject: link, found: "not managed" })];
  }
  const remedy = `nmcli device set ${link} managed no, and unmanaged-devices in its configuration`;
  const line = { subject: link, found: "managed by NetworkManager", remedy };
  return [hostLine("network-manager", { ...line, verdict: "warning" })];
}

function networkdLines({ link, networkFile, keepConfiguration }: ManagedLink): HostLine[] {
  if (networkFile === undefined) {
    return [hostLine("networkd", { subject: link, found: "not configured by it" })];
  }
  const keeps = /^(?:yes|true|on|1|static)$/i.test(keepConfiguration ?? "");
  const found = `${networkFile}, KeepConfiguration=${keepConfiguration ?? "no"}`;
  if (keeps) return [hostLine("networkd", { subject: link, found })];
  const remedy = `KeepConfiguration=static below [Network] in ${networkFile}`;
  return [hostLine("networkd", { subject: link, found, verdict: "warning", remedy })];
}

function kubeProxyLines(
  running: readonly RunningProcess[],
  {
    links,
    arpIgnore,
  }: { readonly links: readonly string[]; readonly arpIgnore: number | undefined },
): HostLine[] {
  const hasDevice = links.includes("kube-ipvs0");
  const proxy = named(running, KUBE_PROXY);
  if (!hasDevice && proxy === undefined) return [];
  const found = hasDevice ? "kube-ipvs0 is there" : `runs (pid ${proxy?.pid ?? "?"}), without ipvs`;
  const isBad = hasDevice && (arpIgnore ?? 0) === 0;
  const remedy = isBad ? "set ipvs.strictARP: true in kube-proxy's configuration" : "";
  const verdict = isBad ? "warning" : "ok";
  return [hostLine("kube-proxy", { subject: KUBE_PROXY, found, verdict, remedy })];
}

function named(running: readonly RunningProcess[], name: string): RunningProcess | undefined {
  return running.find((process) => process.name === name);
}

function ownerText({ owner }: WaitingSocket): string {
  return owner === undefined ? "a process that cannot be seen" : `${owner.name} (pid ${owner.pid})`;
}

/** The first socket of each name, in the order of the names; strangers before our own. */
function oneEach(
  sockets: readonly WaitingSocket[],
  nameOf: (socket: WaitingSocket) => string,
): readonly (readonly [string, WaitingSocket])[] {
  const found = new Map<string, WaitingSocket>();
  for (const socket of sockets) {
    const name = nameOf(socket);
    const before = found.get(name);
    if (before === undefined || (before.isOurs && !socket.isOurs)) found.set(name, socket);
  }
  return [...found].toSorted(([a], [b]) => a.localeCompare(b, "en", { numeric: true }));
}
