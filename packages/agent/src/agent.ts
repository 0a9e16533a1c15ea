// One running agent: settings and adapters become the loop. The only file besides main that knows
// every adapter. Starting it touches the host only after preflight found nothing wrong.

import { readFile } from "node:fs/promises";
import { join } from "node:path";

import {
  type AgentHello,
  type AgentName,
  assert,
  parseAgentName,
  parseDeviceName,
} from "@fairlead/model";
import { createTemplates, nginxRefusals, renderKeepalived, renderNginx } from "@fairlead/render";
import {
  type Clock,
  createHealthServer,
  formatHostPort,
  type HostPort,
  type Lifecycle,
  type Logger,
  VERSION,
} from "@fairlead/runtime";
import { createRevisions, type Revisions } from "@fairlead/wire";

import type { ServedListener } from "./applied.ts";
import type { Host } from "./apply.ts";
import { type Converge, createConverge } from "./converge.ts";
import { type DataPlaneLayout, dataPlaneLayout } from "./data-plane-layout.ts";
import { generationId } from "./generation-id.ts";
import { createKeepalivedDaemon } from "./keepalived/keepalived-daemon.ts";
import { createLedger } from "./ledger.ts";
import { createControllerLink } from "./link/controller-link.ts";
import { agentHealth, agentReadiness, createAgentMetrics } from "./metrics.ts";
import { createNetlinkKernel } from "./netlink/kernel.ts";
import { createNginxDaemon } from "./nginx/nginx-daemon.ts";
import { openFilesMax } from "./open-files.ts";
import { createPlanFile } from "./plan-file.ts";
import type { ControllerLink } from "./ports.ts";
import { createPortProbe } from "./ports-probe/port-probe.ts";
import type { HostPrograms } from "./preflight/preflight.ts";
import type { AgentSettings } from "./settings.ts";
import { createS6Supervisor } from "./supervise/s6.ts";

/** Connections of both sides that a worker may have; 32 768 would cost 28 MB a generation. */
const WORKER_CONNECTIONS = 8192;
/** A replaced generation of nginx is cut after this, in ms. */
const SHUTDOWN_TIMEOUT_MS = 600_000;

/** What an agent is made of. */
export interface AgentOptions {
  readonly settings: AgentSettings;
  /** Programs that preflight found, and what the host allows. */
  readonly programs: HostPrograms;
  readonly clock: Clock;
  readonly log: Logger;
  readonly lifecycle: Lifecycle;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Where metrics are served; undefined: by somebody else (`fairlead run`). */
  readonly listenMetrics: HostPort | undefined;
}

/** A running agent. Its parts belong to the lifecycle that it was started with. */
export interface RunningAgent {
  readonly converge: Converge;
  readonly link: ControllerLink;
}

/** Starts an agent. Rejects with the first EdgeError of a part that cannot start. */
export async function startAgent(options: AgentOptions): Promise<RunningAgent> {
  const { settings, clock, log, lifecycle } = options;
  const agent = parseAgentName(settings.name);
  assert(agent !== undefined, "settings hold a checked name");
  const layout = dataPlaneLayout(settings.runDir);
  const revisions = createRevisions();
  const host = await createHost(options, { agent, layout });
  const link = createLink(options, agent, revisions);
  const planFile = createPlanFile({ path: join(settings.stateDir, "plan.json"), revisions });
  const converge = createConverge({ agent, clock, log, host, planFile, link });
  await lifecycle.start("converge", async () => {
    await converge.start();
    return converge;
  });
  const bootId = (await readFile("/proc/sys/kernel/random/boot_id", "utf8")).trim();
  await lifecycle.start("link", () => {
    link.start({
      hello: () => helloOf({ agent, bootId, hasIpv6: options.programs.hasIpv6 }, converge),
      held: () => converge.view().wanted,
      onPlan: (plan) => converge.accept(plan),
      onConnectionChange: (isConnected) =>
        log.info({}, isConnected ? "connected to the controller" : "lost the controller"),
    });
    return link;
  });
  if (options.listenMetrics !== undefined) await serveHealth(options, converge, link);
  log.info({ agent: settings.name, epoch: converge.view().epoch }, "serving");
  return { converge, link };
}

async function createHost(
  options: AgentOptions,
  { agent, layout }: { readonly agent: AgentName; readonly layout: DataPlaneLayout },
): Promise<Host> {
  const { settings, programs, clock, log: logger, lifecycle } = options;
  const { nginx, keepalived, ip, s6Svscan } = programs;
  const daemons = { nginx, keepalived, ip, s6Svscan };
  const supervisor = createS6Supervisor({ layout, programs: daemons, clock, logger });
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
  const templates = createTemplates();
  const nginxSettings = {
    workerProcesses: settings.workerProcesses,
    workerConnections: WORKER_CONNECTIONS,
    openFilesMax: await openFilesMax(4 * WORKER_CONNECTIONS),
    shutdownTimeoutMs: SHUTDOWN_TIMEOUT_MS,
    ...(programs.nginxUser === undefined ? {} : { user: programs.nginxUser }),
    paths: {
      streamModule: programs.streamModule,
      pid: layout.nginx.pid,
      errorLog: layout.nginx.errorLog,
      probeSocket: layout.nginx.probeSocket,
    },
  };
  const salt = JSON.stringify(nginxSettings);
  return {
    kernel,
    nginx: createNginxDaemon({
      ...{ layout, clock, logger },
      service: supervisor.nginx,
      program: programs.nginx,
    }),
    keepalived: createKeepalivedDaemon({
      ...{ layout, clock, kernel },
      service: supervisor.keepalived,
      program: programs.keepalived,
    }),
    portProbe: createPortProbe(),
    ledger: createLedger({ path: join(settings.stateDir, "ledger") }),
    nginxRefusals,
    generationOf: (listeners) => generationId(listeners, salt),
    renderNginx: (listeners, generation) =>
      renderNginx({ ...nginxParts(listeners), generation, settings: nginxSettings, templates })
        .text,
    renderKeepalived: (lanes, vips) =>
      renderKeepalived({
        ...{ agent, lanes, vips, templates },
        paths: { trackDir: layout.keepalived.trackDir },
        checksOnReload: programs.checksOnReload,
      }),
  };
}

function nginxParts(
  listeners: readonly ServedListener[],
): Pick<Parameters<typeof renderNginx>[0], "listeners" | "memberSets"> {
  return {
    listeners: listeners.map((entry) => entry.listener),
    memberSets: new Map(listeners.map((entry) => [entry.members.name, entry.members])),
  };
}

function createLink(options: AgentOptions, agent: AgentName, revisions: Revisions): ControllerLink {
  const { settings, clock, log, random } = options;
  if (settings.controller === undefined) return NO_CONTROLLER;
  return createControllerLink({
    agent,
    address: formatHostPort(settings.controller),
    credentials: { kind: "insecure" },
    clock,
    log,
    revisions,
    random,
  });
}

/** The link of an agent that has no controller: it serves its last good plan. */
const NO_CONTROLLER: ControllerLink = {
  connected: false,
  start: () => undefined,
  report: () => undefined,
  [Symbol.asyncDispose]: () => Promise.resolve(),
};

function helloOf(
  { agent, bootId, hasIpv6 }: { agent: AgentName; bootId: string; hasIpv6: boolean },
  converge: Converge,
): AgentHello {
  const { links, epoch, wanted } = converge.view();
  return {
    agent,
    bootId,
    version: VERSION,
    capabilities: ["vrrp", "nginx-stream", ...(hasIpv6 ? (["ipv6"] as const) : [])],
    links,
    epoch,
    ...(wanted === undefined ? {} : { planRevision: wanted.revision }),
  };
}

async function serveHealth(
  { listenMetrics: listen, lifecycle }: AgentOptions,
  converge: Converge,
  link: ControllerLink,
): Promise<void> {
  if (listen === undefined) return;
  const view = (): ReturnType<Converge["view"]> => converge.view();
  const metrics = await lifecycle.start("metrics", () =>
    createAgentMetrics({ version: VERSION, view, isConnected: () => link.connected }),
  );
  await lifecycle.start("health", () =>
    createHealthServer({
      listen,
      registry: metrics.registry,
      health: agentHealth,
      ready: () => agentReadiness(view(), link.connected),
    }),
  );
}
