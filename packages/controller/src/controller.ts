// One running controller: settings and adapters become the loop. Besides main the only file that
// knows every adapter. Given a clock and a log; tests and `fairlead run` start the same thing in
// their own process, with ports of theirs where they have them.

import { randomUUID } from "node:crypto";

import {
  type Clock,
  EdgeError,
  type HealthReport,
  type HostPort,
  type Logger,
  VERSION,
  collectAfterStart,
  createHealthServer,
  createLifecycle,
  describeError,
  formatHostPort,
  namingFlag,
} from "@fairlead/runtime";
import type { Lifecycle, Metrics } from "@fairlead/runtime";
import { type Credentials, createRevisions } from "@fairlead/wire";

import { type Adapters, createAdapters } from "./adapters.ts";
import type { AdminContext } from "./api/grpc/admin-context.ts";
import { createAdminServer } from "./api/grpc/admin-server.ts";
import { type Cycle, createCycle } from "./cycle.ts";
import { type LeadFeed, createLeadFeed } from "./election/lead-feed.ts";
import type { CycleView } from "./cycle-view.ts";
import {
  controllerHealth,
  type ControllerMetrics,
  controllerReadiness,
  createControllerMetrics,
} from "./metrics.ts";
import type { Fact } from "./facts.ts";
import { keepAgents } from "./serve-agents.ts";
import { serveRest } from "./serve-rest.ts";
import type { ControllerSettings } from "./settings.ts";
import { type SyncServer, createSyncMetrics, createSyncServer } from "./sync/index.ts";

/** Without its stream for this long, what an agent proved is in doubt. */
const STALE_AFTER_MS = 60_000;
/** All parts together have this long to stop, in ms. */
const STOP_MS = 5000;

/** What a controller is made of. */
export interface ControllerOptions {
  readonly settings: ControllerSettings;
  readonly clock: Clock;
  readonly log: Logger;
  /** Who may speak to it. Default: anybody, in clear text, until TLS is built. */
  readonly credentials?: Credentials;
  /** Ends a start that is under way, such as one that waits for its folder. Default: never. */
  readonly signal?: AbortSignal;
  /** It can no longer do its work: another controller took over. Told at most once. */
  readonly onFailed: (error: Error) => void;
  /** Instead of the adapters that the settings name. */
  readonly ports?: Partial<Pick<Adapters, "election" | "store" | "sources" | "publishers">>;
}

/** A controller that runs. Disposing stops every part, the newest first. */
export interface RunningController extends AsyncDisposable {
  readonly cycle: Cycle;
  readonly metrics: Metrics;
  /** What /healthz and /readyz say; for those who serve them elsewhere. */
  health(): HealthReport;
  ready(): HealthReport;
  /** Where it really listens. */
  readonly agentsAt: HostPort;
  readonly adminAt: HostPort;
  /** Undefined when REST is not served. */
  readonly restAt: HostPort | undefined;
  /** Undefined when the settings name no place. */
  readonly metricsAt: HostPort | undefined;
}

/** Starts a controller. Rejects with the first EdgeError; nothing is left behind then. */
export async function runController(options: ControllerOptions): Promise<RunningController> {
  const { clock, log } = options;
  const lifecycle = createLifecycle({
    clock,
    stopMs: STOP_MS,
    onStopError: (part, error) => log.warn({ part, error: describeError(error) }, "did not stop"),
  });
  const onAbort = (): void => void lifecycle.stop();
  options.signal?.addEventListener("abort", onAbort, { once: true });
  try {
    return await start(options, lifecycle);
  } catch (error) {
    await lifecycle.stop();
    throw error;
  } finally {
    options.signal?.removeEventListener("abort", onAbort);
  }
}

async function start(options: ControllerOptions, lifecycle: Lifecycle): Promise<RunningController> {
  const { settings, clock, log, credentials = { kind: "insecure" } } = options;
  const startedMs = clock.nowMs();
  const measured = createControllerMetrics({
    version: VERSION,
    view: () => cycle.view(),
    syncState: (agent) => sync.syncState(agent).state,
  });
  await lifecycle.start("metrics", () => measured.metrics);
  const emit = (facts: readonly Fact[]): void => cycle.emit(facts);
  const ports = await startAdapters(options, lifecycle, measured, emit);
  const revisions = createRevisions();
  const sync = createSyncServer({
    clock,
    log,
    revisions,
    version: VERSION,
    emit,
    metrics: createSyncMetrics(measured.metrics),
  });
  const cycle: Cycle = createCycle({
    clock,
    log,
    settings: planSettings(settings),
    ...ports,
    delivery: sync,
    revisionOf: (resource) => revisions.revisionOf(resource),
    onCycle: measured.planned,
    onMoved: measured.moved,
    onSaid: () => admin.changed(),
    onFenced: (epoch) => options.onFailed(fencedError(epoch)),
    onFailed: options.onFailed,
  });
  const ready = (): HealthReport => controllerReadiness(cycle.view());
  const metricsAt = await serveHealth(settings, lifecycle, measured.metrics, ready);
  const admin = await lifecycle.start("admin server", () =>
    createAdminServer({
      listen: settings.listenAdmin,
      credentials,
      clock,
      log,
      act: (act) => cycle.act(act),
      context: () => contextOf({ clock, startedMs, cycle, sync, ports }),
    }),
  );
  admin.health.setServing(true);
  const agents = await keepAgents({ lifecycle, sync, listen: settings.listenAgents, credentials });
  await startCycle(lifecycle, { cycle, clock }, ports);
  const { metrics } = measured;
  const rest = { settings: settings.rest, clock, log, lifecycle, metrics, ports };
  const restAt = await serveRest(rest);
  // Agents may come only now: what they say is kept beside what the store said.
  const agentsAt = await agents.serve();
  const places = {
    agents: formatHostPort(agentsAt),
    ...(metricsAt === undefined ? {} : { metrics: formatHostPort(metricsAt) }),
    admin: formatHostPort(admin.address),
  };
  log.info(places, servingText(cycle.view()));
  return {
    cycle,
    metrics,
    health: controllerHealth,
    ready,
    agentsAt,
    adminAt: admin.address,
    restAt,
    metricsAt,
    [Symbol.asyncDispose]: () => lifecycle.stop(),
  };
}

function contextOf(options: {
  readonly clock: Clock;
  readonly startedMs: number;
  readonly cycle: Cycle;
  readonly sync: SyncServer;
  readonly ports: Pick<Adapters, "services">;
}): AdminContext {
  const { clock, startedMs, cycle, sync, ports } = options;
  return {
    nowMs: clock.wallMs(),
    uptimeMs: clock.nowMs() - startedMs,
    version: VERSION,
    view: cycle.view(),
    syncState: (agent) => sync.syncState(agent),
    ...(ports.services === undefined ? {} : { services: ports.services }),
  };
}

/** The adapters that the settings name, but for those that the caller brought. */
async function startAdapters(
  { settings, clock, log, ports }: ControllerOptions,
  lifecycle: Lifecycle,
  { metrics, stored: onStored }: ControllerMetrics,
  emit: (facts: readonly Fact[]) => void,
): Promise<Adapters & { readonly lead: LeadFeed }> {
  const { random } = Math;
  const adapters = createAdapters({ settings, clock, log, metrics, random, onStored, emit });
  await lifecycle.start("connections", () => ({ [Symbol.dispose]: () => adapters.close() }));
  const wired = { ...adapters, ...ports };
  const lead = createLeadFeed(wired.election);
  return { ...wired, election: lead.election, lead };
}

function planSettings(settings: ControllerSettings): Parameters<typeof createCycle>[0]["settings"] {
  return {
    advertIntervalMs: settings.advertIntervalMs,
    reservedRouterIds: settings.reservedRouterIds,
    staleAfterMs: STALE_AFTER_MS,
    sharesOwnAddress: settings.sharesOwnAddress,
    registrationSeed: randomUUID(),
  };
}

async function serveHealth(
  settings: ControllerSettings,
  lifecycle: Lifecycle,
  metrics: Metrics,
  ready: () => HealthReport,
): Promise<HostPort | undefined> {
  const { listenMetrics: listen } = settings;
  if (listen === undefined) return undefined;
  const { registry } = metrics;
  const server = await lifecycle.start("metrics server", () =>
    namingFlag({ flag: "--listen-metrics", at: listen }, () =>
      createHealthServer({ listen, registry, health: controllerHealth, ready }),
    ),
  );
  return server.address;
}

/** The store is stopped last and the loop first, so that nothing is written to a closed store. */
async function startCycle(
  lifecycle: Lifecycle,
  { cycle, clock }: { readonly cycle: Cycle; readonly clock: Clock },
  { election, store, sources, publishers }: Adapters,
): Promise<void> {
  // Given up after all that writes: until then nobody else may.
  await lifecycle.start("election", () => election);
  await lifecycle.start("store", () => store);
  for (const publisher of publishers) {
    await lifecycle.start(`publisher ${publisher.name}`, () => ({
      [Symbol.asyncDispose]: async () => publisher[Symbol.asyncDispose]?.(),
    }));
  }
  for (const source of sources) await lifecycle.start(`source ${source.name}`, () => source);
  await lifecycle.start("cycle", () => cycle);
  await cycle.start();
  await lifecycle.start("collecting", () => collectAfterStart(clock));
}

function servingText({ lead, epoch }: CycleView): string {
  if (lead.leads) return `controller of epoch ${epoch} serves`;
  return `controller serves and stands by; ${lead.holder ?? "nobody"} leads`;
}

function fencedError(epoch: number): EdgeError<"FENCED"> {
  const message = `another controller took epoch ${epoch} of the store; this one ends`;
  return new EdgeError({ code: "FENCED", message, retryable: false });
}
