// One running agent: settings and a host become the loop, with the stream to the controller and the
// agent's health. Starting it touches the host; preflight must have found nothing wrong before.

import { join } from "node:path";

import {
  type AgentHello,
  type AgentName,
  assert,
  type LaneResource,
  parseAgentName,
} from "@fairlead/model";
import {
  type Clock,
  collectAfterStart,
  createHealthServer,
  type HostPort,
  type Lifecycle,
  type Logger,
  type LoopDelay,
  type Metrics,
  namingFlag,
  VERSION,
} from "@fairlead/runtime";
import { createRevisions, type Revisions } from "@fairlead/wire";

import { type AgentHost, createAgentHost } from "./agent-host.ts";
import { placesHeld, placesInLanes, startAnnouncingAgain } from "./announce-again.ts";
import { createApplyTimes } from "./apply-times.ts";
import { readBootId } from "./boot-id.ts";
import type { DebugContext } from "./api/grpc/debug-context.ts";
import { createDebugServer } from "./api/grpc/debug-server.ts";
import { type Converge, createConverge } from "./converge.ts";
import { dataPlaneLayout } from "./data-plane-layout.ts";
import { createControllerLink } from "./link/controller-link.ts";
import { markEnded } from "./ended-mark.ts";
import { forgetTables } from "./forget-tables.ts";
import { createFedTimes } from "./fed-times.ts";
import { agentHealth, agentReadiness, createAgentMetrics, type PlanTimes } from "./metrics.ts";
import { createLiveness, lanesOf } from "./liveness/liveness.ts";
import { createTrackFiles } from "./liveness/track-files.ts";
import { type LeavePolicy, leaveAddresses } from "./leave-addresses.ts";
import { watchLinkUps } from "./link-ups.ts";
import { startLeavingMuteLanes } from "./mute-lanes.ts";
import { createPlanFile } from "./plan-file.ts";
import type { ControllerLink, ControllerLinkEvents, Kernel } from "./ports.ts";
import type { HostPrograms } from "./preflight/preflight.ts";
import { readRenderedFiles } from "./rendered-files.ts";
import { type AgentSettings, parseControllers } from "./settings.ts";
import { giveUpLanes, takeLanesBack } from "./withdraw.ts";

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
  /** Where metrics are served; or the metrics of a program that serves the agent's with its own. */
  readonly metrics: HostPort | Metrics;
  /** What tells how late the event loop is; for metrics of its own. Default: a timer. */
  readonly loopDelay?: LoopDelay;
  /** What becomes of addresses that it added itself when it ends. Default `keep-alive`. */
  readonly leaves?: LeavePolicy;
  /**
   * Asked when it ends: whether an operator withdraws it, of which the controller is told then.
   * Default: nobody does.
   */
  readonly isWithdrawn?: () => Promise<boolean>;
}

/** A running agent. Its parts belong to the lifecycle that it was started with. */
export interface RunningAgent {
  readonly converge: Converge;
  readonly link: ControllerLink;
  /** Gives every lane to its successors; before the agent is stopped. */
  giveUpLanes(): Promise<void>;
  /** Ends keepalived, nginx, their supervisor and the guard; after the agent was stopped. */
  endDataPlane(): Promise<void>;
}

/** Starts an agent. Rejects with the first EdgeError of a part that cannot start. */
export async function startAgent(options: AgentOptions): Promise<RunningAgent> {
  const { settings, clock, log, lifecycle, random } = options;
  const agent = parseAgentName(settings.name);
  assert(agent !== undefined, "settings hold a checked name");
  const layout = dataPlaneLayout(settings.runDir);
  const revisions = createRevisions();
  const bootId = await readBootId();
  const made = { ...options, agent, layout, bootId };
  const { host, guard, full, supervisor, shown } = await createAgentHost(made);
  const onDisk = createPlanFile({ path: join(settings.stateDir, "plan.json"), revisions });
  // Read once: of ten thousand Services it has 20 MB.
  const loaded = await onDisk.load();
  const planFile = { ...onDisk, load: () => Promise.resolve(loaded) };
  const files = createTrackFiles(layout);
  const { kernel, ledger } = host;
  await takeLanesBack({ layout, agent, kernel, files, lanes: lanesOf(loaded.plan) });
  const link = createLink(options, agent, revisions);
  const times = { fed: createFedTimes(clock), applied: createApplyTimes() };
  const onApplied = times.applied.applied;
  const converge = createConverge({ agent, clock, log, host, planFile, link, random, onApplied });
  // Stopped when the loop has ended, and before the kernel's adapter.
  await lifecycle.start("added addresses", () => ({
    [Symbol.asyncDispose]: () =>
      leaveAddresses({ kernel, ledger, log, policy: options.leaves ?? "keep-alive" }),
  }));
  await lifecycle.start("converge", async () => {
    await converge.start();
    return converge;
  });
  const view = (): ReturnType<Converge["view"]> => converge.view();
  const liveness = await lifecycle.start("liveness", () =>
    createLiveness({ ...host, layout, clock, log, files, view }),
  );
  await lifecycle.start("announcing again", () =>
    startAnnouncingAgain({ ...host, clock, held: () => placesHeld(converge.view()) }),
  );
  const lanes = (): readonly LaneResource[] => lanesOf(converge.view().wanted);
  await lifecycle.start("mute lanes", () =>
    startLeavingMuteLanes({ agent, clock, log, kernel, lanes, files }),
  );
  await startLink(options, kernel, link, {
    hello: () => helloOf({ agent, bootId, hasIpv6: options.programs.hasIpv6 }, converge),
    held: () => converge.view().wanted,
    onPlan: (plan, receivedMs) => {
      times.applied.came(plan, receivedMs);
      converge.accept(plan, () => times.fed.add(receivedMs));
      liveness.planned();
    },
    look: () => converge.look(),
    announce: () => host.announcer.announce(placesInLanes(converge.view())),
    onConnectionChange: (isConnected) => {
      if (!isConnected) log.warn({}, "lost the controller; the last good plan is served on");
    },
  });
  await serveHealth(options, converge, link, times);
  await lifecycle.start("collecting", () => collectAfterStart(clock));
  full.start(view);
  await lifecycle.start("full listeners", () => full);
  await serveDebug(options, { view, files: () => readRenderedFiles(layout), ...shown });
  const { epoch } = converge.view();
  log.info({ agent: settings.name, ...(epoch === 0 ? {} : { epoch }) }, "serving");
  return {
    converge,
    link,
    giveUpLanes: () => giveUpLanes({ layout, clock, log, kernel, ledger }),
    endDataPlane: () => endDataPlane(options, { supervisor, guard }),
  };
}

async function endDataPlane(
  { programs, settings }: AgentOptions,
  { supervisor, guard }: Pick<AgentHost, "supervisor" | "guard">,
): Promise<void> {
  await supervisor.end();
  await forgetTables(programs);
  await guard.remove();
  await markEnded(settings.runDir);
}

function createLink(options: AgentOptions, agent: AgentName, revisions: Revisions): ControllerLink {
  const { settings, clock, log, random } = options;
  const addresses = parseControllers(settings.controller) ?? [];
  if (addresses.length === 0) return NO_CONTROLLER;
  return createControllerLink({
    agent,
    addresses,
    credentials: { kind: "insecure" },
    clock,
    log,
    revisions,
    random,
  });
}

async function startLink(
  { clock, lifecycle, isWithdrawn }: AgentOptions,
  kernel: Kernel,
  link: ControllerLink,
  events: ControllerLinkEvents,
): Promise<void> {
  await lifecycle.start("link", () => {
    link.start(events);
    return {
      [Symbol.asyncDispose]: async () => {
        await using _ = link;
        if ((await isWithdrawn?.()) === true) await link.leave();
      },
    };
  });
  await lifecycle.start("links that come up", () =>
    watchLinkUps({ clock, kernel, cameUp: () => link.hurry() }),
  );
}

/** The link of an agent that has no controller: it serves its last good plan. */
const NO_CONTROLLER: ControllerLink = {
  connected: false,
  start: () => undefined,
  report: () => undefined,
  hurry: () => undefined,
  leave: () => Promise.resolve(),
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
    capabilities: [
      "vrrp",
      "nginx-stream",
      "host-addresses",
      "hearing",
      ...(hasIpv6 ? (["ipv6"] as const) : []),
    ],
    links,
    epoch,
    ...(wanted === undefined ? {} : { planRevision: wanted.revision }),
  };
}

async function serveHealth(
  { metrics: place, loopDelay, lifecycle }: AgentOptions,
  converge: Converge,
  link: ControllerLink,
  times: PlanTimes,
): Promise<void> {
  const view = (): ReturnType<Converge["view"]> => converge.view();
  const options = { version: VERSION, view, times, isConnected: () => link.connected };
  if ("registry" in place) {
    createAgentMetrics({ ...options, metrics: place });
    return;
  }
  const metrics = await lifecycle.start("metrics", () =>
    createAgentMetrics({ ...options, loopDelay }),
  );
  await lifecycle.start("health", () =>
    namingFlag({ flag: "--listen-metrics", at: place }, () =>
      createHealthServer({
        listen: place,
        registry: metrics.registry,
        health: agentHealth,
        ready: () => agentReadiness(view(), link.connected),
      }),
    ),
  );
}

async function serveDebug(
  { settings, clock, lifecycle, log }: AgentOptions,
  { view, ...shown }: Omit<DebugContext, "nowMs" | "view"> & { view: Converge["view"] },
): Promise<void> {
  const context = (): DebugContext => ({ nowMs: clock.nowMs(), view: view(), ...shown });
  const listen = settings.listenDebug;
  const credentials = { kind: "insecure" } as const;
  await lifecycle.start("debug server", () =>
    namingFlag({ flag: "--listen-debug", at: listen }, () =>
      createDebugServer({ listen, credentials, log, context }),
    ),
  );
}
