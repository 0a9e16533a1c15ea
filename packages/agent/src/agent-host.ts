// The host as the loop sees it: every adapter of the agent, made of settings and of the programs
// that preflight found. The supervisor of the data plane is adopted or started on the way.

import { join } from "node:path";

import { type AgentName, parseDeviceName, present } from "@fairlead/model";
import {
  type NginxInput,
  type ServiceRanges,
  createTemplates,
  nginxRefusals,
  renderKeepalived,
  renderNginx,
} from "@fairlead/render";
import {
  type Clock,
  EdgeError,
  type Lifecycle,
  type Logger,
  describeError,
  isEdgeError,
} from "@fairlead/runtime";

import { createAnnouncer } from "./announce/announcer.ts";
import type { Host } from "./host.ts";
import type { DataPlaneLayout, NginxLayout } from "./data-plane-layout.ts";
import { generationId } from "./generation-id.ts";
import { createKeepalivedDaemon } from "./keepalived/keepalived-daemon.ts";
import { createLedger } from "./ledger.ts";
import { createNetlinkKernel } from "./netlink/kernel.ts";
import { createNetlinkSegment } from "./netlink/netlink-segment.ts";
import { createNetlinkSight } from "./netlink/netlink-sight.ts";
import { createNginxDaemon } from "./nginx/nginx-daemon.ts";
import { createNftGuard } from "./nft/guard.ts";
import { createNftMonitor } from "./nft/nft-monitor.ts";
import { createMemberTable } from "./nft/member-table.ts";
import { createNftVrrp } from "./nft/nft-vrrp.ts";
import { createNoGuard } from "./nft/no-guard.ts";
import { nginxParts } from "./nginx-parts.ts";
import { openFilesMax } from "./open-files.ts";
import type {
  DataPlaneSupervisor,
  InputGuard,
  MemberTable,
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

/** Connections of both sides that a worker may have; 32 768 would cost 28 MB a generation. */
const WORKER_CONNECTIONS = 8192;

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
  readonly supervisor: DataPlaneSupervisor;
}

/** Makes the adapters of one host. */
export async function createAgentHost(options: AgentHostOptions): Promise<AgentHost> {
  const { agent, layout, settings, bootId, programs, clock, log: logger, lifecycle } = options;
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
  const vrrp = await lifecycle.start("vrrp", () => vrrpOf(options));
  const guard = await guardOf(options);
  const announcer = await lifecycle.start("announcer", () =>
    createAnnouncer({ arping: programs.arping, ndptool: programs.ndptool, clock, log: logger }),
  );
  const templates = createTemplates();
  const ranges = present(parseServiceRanges(settings.serviceNetworks), "settings hold networks");
  const usable = programs.hasIpv6 ? ranges : { ipv4: ranges.ipv4 };
  const members = await memberTableOf(options, usable);
  const nginxSettings = await nginxSettingsOf(options);
  const salt = JSON.stringify([nginxSettings, layout.nginx.dir, programs.streamModule]);
  const host: Host = {
    kernel,
    segment,
    ...(sight === undefined ? {} : { sight }),
    vrrp,
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
    portProbe: createPortProbe(),
    ledger: createLedger({ path: join(settings.stateDir, "ledger"), bootId }),
    nginxRefusals,
    ...(members === undefined ? {} : { members }),
    generationOf: (listeners) => generationId(listeners, salt),
    renderNginx: remembered((served, generation, protocol) => {
      const instance = protocol === "udp" ? layout.nginxUdp : layout.nginx;
      const { pid, errorLog } = instance;
      const probeSocket = instance.probeSocket(generation);
      const paths = { streamModule: programs.streamModule, pid, errorLog, probeSocket };
      const { shutdownTimeoutMs, ...parts } = nginxParts(served, nginxSettings);
      const rendered = { ...nginxSettings, shutdownTimeoutMs, paths };
      const targets = targetsOf(usable);
      return renderNginx({ ...parts, generation, settings: rendered, templates, targets }).text;
    }),
    renderKeepalived: (lanes, vips) =>
      renderKeepalived({
        agent,
        lanes,
        vips,
        templates,
        paths: { trackDir: layout.keepalived.trackDir },
        checksOnReload: programs.checksOnReload,
      }),
  };
  return { host, guard, supervisor };
}

/** A host without nft lets in what its services answer to, and says so. */
async function guardOf(options: AgentHostOptions): Promise<InputGuard> {
  const { programs, clock, log: logger, random, lifecycle } = options;
  if (programs.nft === undefined) return createNoGuard();
  const common = { program: programs.nft, clock, logger, random };
  const monitor = await lifecycle.start("nft monitor", () => createNftMonitor(common));
  return await lifecycle.start("guard", () => createNftGuard({ ...common, monitor }));
}

/** A host without nft hears nobody. */
function vrrpOf({ programs, clock, log: logger }: AgentHostOptions): VrrpListener {
  if (programs.nft !== undefined) return createNftVrrp({ program: programs.nft, clock, logger });
  logger.warn({}, "nft is not installed: router ids that other hosts use are not heard");
  return {
    isAble: false,
    heard: () => [],
    adverts: () => undefined,
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

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

/** What all generations of nginx have in common. */
async function nginxSettingsOf({ settings, programs }: AgentHostOptions) {
  return {
    workerProcesses: settings.workerProcesses,
    workerConnections: WORKER_CONNECTIONS,
    openFilesMax: await openFilesMax(4 * WORKER_CONNECTIONS),
    ...(programs.nginxUser === undefined ? {} : { user: programs.nginxUser }),
  };
}

/** The kernel's table of members; undefined where members stand in nginx's file. */
async function memberTableOf(
  { settings, programs, layout, log: logger, lifecycle }: AgentHostOptions,
  ranges: ServiceRanges,
): Promise<MemberTable | undefined> {
  const { memberSwitch } = settings;
  const { nft, ip } = programs;
  if (memberSwitch === "nginx") return undefined;
  try {
    if (nft === undefined) {
      const message = "nft is not installed";
      throw new EdgeError({ code: "NFT", message, retryable: false });
    }
    const placesFile = layout.nginx.places;
    return await lifecycle.start("member table", () =>
      createMemberTable({ nft, ip, ranges, placesFile, logger }),
    );
  } catch (error) {
    if (memberSwitch === "kernel" || !isEdgeError(error, "NFT")) throw error;
    const why = describeError(error);
    logger.warn({ why }, "members stand in nginx's file: each of their changes is a reload");
    return undefined;
  }
}

/** The text of a generation is asked for in every pass, and changes with the generation alone. */
function remembered(render: Host["renderNginx"]): Host["renderNginx"] {
  const last = new Map<string, { readonly generation: string; readonly text: string }>();
  return (listeners, generation, protocol) => {
    const known = last.get(protocol);
    if (known?.generation === generation) return known.text;
    const text = render(listeners, generation, protocol);
    last.set(protocol, { generation, text });
    return text;
  };
}

function targetsOf({ ipv4, ipv6 }: ServiceRanges): NonNullable<NginxInput["targets"]> {
  return { ipv4: ipv4.target, ...(ipv6 === undefined ? {} : { ipv6: ipv6.target }) };
}
