// Looks at the whole host as `fairlead check --host` does: reads all facts and has them judged. It
// changes nothing and needs no agent. Given where an agent would keep its files.

import { networkInterfaces } from "node:os";

import { agentPidFile } from "../agent-pid.ts";
import { livingProcess } from "../pid-file.ts";
import { AGENT_SETTINGS } from "../settings.ts";
import { readFirewall } from "./firewall-facts.ts";
import { readHost } from "./host-facts.ts";
import { HOST_CHECKS, type HostLine } from "./host-line.ts";
import { essentialLines } from "./judge-essentials.ts";
import { kernelLines, socketEndingLine, sysctlLines } from "./judge-kernel.ts";
import {
  KNOWN_PROGRAMS,
  announcerLines,
  firewallLines,
  linkOwnerLines,
  socketLines,
} from "./judge-neighbours.ts";
import { readKernel } from "./kernel-facts.ts";
import { readLinkOwners } from "./link-owner-facts.ts";
import { type PreflightOptions, judgeOptionsOf, searchPathOf } from "./preflight.ts";
import { readProcesses } from "./process-facts.ts";
import { readNetworkSysctls } from "./sysctl-facts.ts";

/** Devices that others make for themselves: no VIP is ever held there. */
const FOREIGN_LINK = /^(?:kube-ipvs0|docker\d+|br-[0-9a-f]+|veth.*|cali.*|cni\d+|flannel.*|lxc.*)$/;

/** Where to look, and whom to ask. */
export interface CheckHostOptions extends PreflightOptions {
  /** What the kernel says against ending sockets on request; undefined: it does. */
  readonly socketEndingProblem: () => Promise<string | undefined>;
}

/** Looks at the host; the lines stand in the order of `HOST_CHECKS`. */
export async function checkHost(options: CheckHostOptions): Promise<readonly HostLine[]> {
  const { runDir, stateDir, link } = options;
  const host = await readHost({ runDir, stateDir, searchPath: searchPathOf(options.path) });
  const links = link === undefined ? addressedLinks() : [link];
  const hasIpv6 = host.sysctls.get("net.ipv6.ip_nonlocal_bind")?.value !== undefined;
  const agentPid = await livingProcess(agentPidFile(runDir)).catch(() => undefined);
  const [kernel, socketEnding, sysctls, processes, owners, firewall] = await Promise.all([
    readKernel({ nft: host.nft, hasIpv6 }),
    options.socketEndingProblem(),
    readNetworkSysctls(links),
    readProcesses({ runDir, agentPid, names: KNOWN_PROGRAMS }),
    readLinkOwners(links),
    readFirewall(host.nft),
  ]);
  const ignores = sysctls.links.flatMap(({ arpIgnore }) => arpIgnore ?? []);
  const arpIgnore = ignores.length === 0 ? undefined : Math.min(...ignores);
  const ports = { metrics: portOf("listenMetrics"), debug: portOf("listenDebug") };
  const lines = [
    ...essentialLines(host, judgeOptionsOf(options)),
    ...kernelLines(kernel),
    socketEndingLine(socketEnding),
    ...sysctlLines(sysctls),
    ...socketLines(processes.sockets, ports),
    ...linkOwnerLines(owners, processes),
    ...announcerLines(processes, { links: host.links, arpIgnore }),
    ...firewallLines(firewall),
  ];
  const order = Object.keys(HOST_CHECKS);
  return lines.toSorted((a, b) => order.indexOf(a.check) - order.indexOf(b.check));
}

function portOf(key: "listenMetrics" | "listenDebug"): number {
  return AGENT_SETTINGS[key].default.port;
}

/** Devices with an address of their own that others can reach. */
function addressedLinks(): readonly string[] {
  return Object.entries(networkInterfaces())
    .filter(([name, addresses]) => !FOREIGN_LINK.test(name) && addresses?.some((a) => !a.internal))
    .map(([name]) => name);
}
