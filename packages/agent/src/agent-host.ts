// The host as the loop sees it: every adapter of the agent, made of settings and of the programs
// that preflight found. The supervisor of the data plane is adopted or started on the way.

import { join } from "node:path";

import { type AgentName, parseDeviceName, present } from "@fairlead/model";
import type { ServiceRanges } from "@fairlead/render";
import { type Clock, EdgeError, type Lifecycle, type Logger } from "@fairlead/runtime";

import type { DebugContext, ShownMembers } from "./api/grpc/debug-context.ts";
import { createAnnouncer } from "./announce/announcer.ts";
import { openClientConnections } from "./client-connections.ts";
import type { Host } from "./host.ts";
import { hostRenderers, udpSessionsMaxOf } from "./host-renderers.ts";
import type { DataPlaneLayout, NginxLayout } from "./data-plane-layout.ts";
import { createKeepalivedDaemon } from "./keepalived/keepalived-daemon.ts";
import { createLedger } from "./ledger.ts";
import { createDownFiles } from "./liveness/track-files.ts";
import { createMemberEndings } from "./member-endings.ts";
import { memberTableOr } from "./member-switch.ts";
import { createFullListeners, type FullListeners } from "./full-listeners.ts";
import { udpSessionsByAddress } from "./udp-sessions.ts";
import { createNetlinkKernel } from "./netlink/kernel.ts";
import { createNetlinkConnections } from "./netlink/netlink-connections.ts";
import { createNetlinkFlows } from "./netlink/netlink-flows.ts";
import { createNetlinkSegment } from "./netlink/netlink-segment.ts";
import { createNetlinkSets } from "./netlink/netlink-sets.ts";
import { createNetlinkSight } from "./netlink/netlink-sight.ts";
import { createServiceRoutes } from "./netlink/service-routes.ts";
import { socketEndingProblem } from "./netlink/socket-ending.ts";
import { createNginxDaemon } from "./nginx/nginx-daemon.ts";
import { createNftGuard } from "./nft/guard.ts";
import { type NftMonitor, createNftMonitor } from "./nft/nft-monitor.ts";
import { createMemberTable } from "./nft/member-table.ts";
import { createNftVrrp } from "./nft/nft-vrrp.ts";
import { createNoGuard } from "./nft/no-guard.ts";
import type {
  DataPlaneSupervisor,
  InputGuard,
  NginxDaemon,
  SegmentAsker,
  VrrpListener,
} from "./ports.ts";
import { createPortProbe } from "./ports-probe/port-probe.ts";
import type { HostPrograms } from "./preflight/preflight.ts";
import { parseServiceRanges } from "./service-ranges.ts";
import type { AgentSettings } from "./settings.ts";
import type { SupervisedService } from "./supervised.ts";
import { createS6Supervisor } from "./supervise/s6.ts";

/** What the host's adapters are made of. */
export interface AgentHostOptions {
  readonly agent: AgentName;
  readonly layout: DataPlaneLayout;
  readonly settings: AgentSettings;
  /** Of the kernel: another one after each boot of the host. */
  readonly bootId: string;
  readonly programs: HostPrograms;
  readonly clock: Clock;
  readonly log: Logger;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Takes what must be stopped with the agent. The data plane is not among that. */
  readonly lifecycle: Lifecycle;
}

/** The adapters, and the supervisor that outlives them. */
export interface AgentHost {
  readonly host: Host;
  /** Stays in the kernel when the agent ends. */
  readonly guard: InputGuard;
  /** Has not begun to look. */
  readonly full: FullListeners;
  readonly supervisor: DataPlaneSupervisor;
  /** For people who ask. */
  readonly shown: Pick<DebugContext, "members" | "segment">;
}

/** Makes the adapters of one host. */
export async function createAgentHost(options: AgentHostOptions): Promise<AgentHost> {
  const { layout, settings, bootId, programs, clock, log: logger, lifecycle } = options;
  const supervisor = createS6Supervisor({ layout, programs, clock, logger });
  await supervisor.ensure();
  const primaryLink = settings.link === undefined ? undefined : parseDeviceName(settings.link);
  const kernel = await lifecycle.start("kernel", () =>
    createNetlinkKernel({
      clock,
      logger,
      ipProgram: programs.ip,
      ...(primaryLink === undefined ? {} : { primaryLink }),
    }),
  );
  const segment = settings.askBeforeUse
    ? await lifecycle.start("segment", () => createNetlinkSegment({ clock }))
    : ASKS_NOBODY;
  const sight = settings.askBeforeUse
    ? await lifecycle.start("sight", () => createNetlinkSight({ clock }))
    : undefined;
  const connections = await openClientConnections({
    log: logger,
    socketEndingProblem,
    open: () => lifecycle.start("connections", () => createNetlinkConnections({ kernel })),
  });
  const vrrp = await vrrpOf(options);
  const monitor = await monitorOf(options);
  const guard = await guardOf(options, monitor);
  const announcer = await lifecycle.start("announcer", () =>
    createAnnouncer({ arping: programs.arping, ndptool: programs.ndptool, clock, log: logger }),
  );
  const ranges = present(parseServiceRanges(settings.serviceNetworks), "settings hold networks");
  const usable = programs.hasIpv6 ? ranges : { ipv4: ranges.ipv4 };
  const members = await memberTableOf(options, usable, monitor);
  const renderers = await hostRenderers({ ...options, ranges: usable });
  const full = createFullListeners({
    clock,
    log: logger,
    sessions: udpSessionsByAddress,
    sessionsMax: udpSessionsMaxOf(settings),
  });
  const host: Host = {
    kernel,
    segment,
    ...(sight === undefined ? {} : { sight }),
    vrrp,
    ...(connections === undefined ? {} : { connections }),
    guard,
    announcer,
    nginx: nginxOf(options, layout.nginx, supervisor.nginx),
    nginxUdp: nginxOf(options, layout.nginxUdp, supervisor.nginxUdp),
    keepalived: createKeepalivedDaemon({
      layout,
      clock,
      kernel,
      service: supervisor.keepalived,
      program: programs.keepalived,
    }),
    portProbe: createPortProbe([
      { port: settings.listenMetrics.port, purpose: "metrics", flag: "--listen-metrics" },
      { port: settings.listenDebug.port, purpose: "debugging", flag: "--listen-debug" },
    ]),
    ledger: createLedger({ path: join(settings.stateDir, "ledger"), bootId }),
    ...renderers,
    ...members?.ports,
    downFiles: createDownFiles(layout),
    full,
  };
  const shown = { segment, ...(members === undefined ? {} : { members: members.shown }) };
  return { host, guard, full, supervisor, shown };
}

/** Who changes nftables' tables; undefined on a host without nft. */
async function monitorOf(options: AgentHostOptions): Promise<NftMonitor | undefined> {
  const { programs, clock, log: logger, random, lifecycle } = options;
  const { nft: program } = programs;
  if (program === undefined) return undefined;
  return await lifecycle.start("nft monitor", () =>
    createNftMonitor({ program, clock, logger, random }),
  );
}

/** A host without nft lets in what its services answer to, and says so. */
async function guardOf(
  { layout, programs, clock, log: logger, random, lifecycle }: AgentHostOptions,
  monitor: NftMonitor | undefined,
): Promise<InputGuard> {
  const { nft: program } = programs;
  if (program === undefined || monitor === undefined) return createNoGuard();
  const scriptFile = layout.nftScripts.guard;
  return await lifecycle.start("guard", () =>
    createNftGuard({ program, scriptFile, clock, logger, random, monitor }),
  );
}

/** A host without nft hears nobody. */
async function vrrpOf(options: AgentHostOptions): Promise<VrrpListener> {
  const { programs, clock, log: logger, lifecycle } = options;
  const { nft: program } = programs;
  if (program === undefined) {
    logger.warn({}, "nft is not installed: router ids that other hosts use are not heard");
    return HEARS_NOBODY;
  }
  const sets = await lifecycle.start("vrrp sets", createNetlinkSets);
  return await lifecycle.start("vrrp", () => createNftVrrp({ program, sets, clock, logger }));
}

const HEARS_NOBODY: VrrpListener = {
  isAble: false,
  heard: () => [],
  adverts: () => undefined,
  [Symbol.asyncDispose]: () => Promise.resolve(),
};

/** On a network where a router answers for every address, answers say nothing. */
const ASKS_NOBODY: SegmentAsker = { ask: () => Promise.resolve(new Map()) };

function nginxOf(
  { settings, programs, clock, log: logger }: AgentHostOptions,
  layout: NginxLayout,
  service: SupervisedService,
): NginxDaemon {
  const { generationsMax } = settings;
  return createNginxDaemon({
    layout,
    service,
    program: programs.nginx,
    generationsMax,
    clock,
    logger,
  });
}

/** What is there where members stand in the kernel's table. */
interface MembersPart {
  readonly ports: Pick<Host, "members" | "routes">;
  readonly shown: ShownMembers;
}

/** The kernel's table of members; undefined where members stand in nginx's file. */
function memberTableOf(
  options: AgentHostOptions,
  ranges: ServiceRanges,
  monitor: NftMonitor | undefined,
): Promise<MembersPart | undefined> {
  const { settings, log } = options;
  return memberTableOr({
    asked: settings.memberSwitch,
    make: () => makeMemberTable(options, ranges, monitor),
    log,
  });
}

async function makeMemberTable(
  { programs, layout, clock, log: logger, random, lifecycle }: AgentHostOptions,
  ranges: ServiceRanges,
  monitor: NftMonitor | undefined,
): Promise<MembersPart> {
  const { nft, ip } = programs;
  if (nft === undefined) {
    throw new EdgeError({ code: "NFT", message: "nft is not installed", retryable: false });
  }
  const placesFile = layout.nginx.places;
  const scriptFile = layout.nftScripts.members;
  const hears = monitor === undefined ? {} : { monitor };
  const made = { nft, ranges, placesFile, scriptFile, logger, random, ...hears };
  const table = await createMemberTable(made);
  const routes = await lifecycle.start("service routes", () =>
    createServiceRoutes({ ip, ranges, clock, logger }),
  );
  const { ipv4, ipv6 } = ranges;
  const targets = [ipv4.target, ...(ipv6 === undefined ? [] : [ipv6.target])];
  const flows = await createNetlinkFlows({ targets });
  const endings = await lifecycle.start("member table", () =>
    createMemberEndings({ table, flows, clock, log: logger }),
  );
  return { ports: { members: endings, routes }, shown: { table, flows, ranges } };
}
