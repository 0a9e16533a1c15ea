// The agent's metrics, nearly all read from the loop's view at the moment of a scrape. Labels are
// of closed sets: no name of a user's object ever becomes one.

import { createMetrics, type HealthReport, type LoopDelay, type Metrics } from "@fairlead/runtime";

import type { ApplyTimes } from "./apply-times.ts";
import type { ConvergeView } from "./converge-view.ts";
import type { FedTimes } from "./fed-times.ts";
import { heldVips } from "./held-vips.ts";
import type { ObservedGeneration } from "./observe.ts";
import { countUdpSessions } from "./udp-sessions.ts";

/** How long plans take. */
export interface PlanTimes {
  readonly fed: Pick<FedTimes, "plans" | "totalMs">;
  readonly applied: Pick<ApplyTimes, "follow">;
}

/** Bounds in seconds. Most is in force as soon as nginx has reloaded; a second reload waits 1 s. */
const APPLIED_SECONDS = [0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1, 1.5, 2, 3, 5, 10, 30];

/** What the metrics are read from. */
export interface AgentMetricsOptions {
  readonly version: string;
  readonly view: () => ConvergeView;
  readonly isConnected: () => boolean;
  readonly times: PlanTimes;
  /** Metrics of a program that the agent is a part of; else it makes its own. */
  readonly metrics?: Metrics;
  /** What tells it how late its event loop is; else it looks by itself. */
  readonly loopDelay?: LoopDelay | undefined;
}

/** Registers the agent's metrics. */
export function createAgentMetrics(options: AgentMetricsOptions): Metrics {
  const { view, isConnected, version, loopDelay } = options;
  const metrics =
    options.metrics ?? createMetrics({ program: "fairlead-agent", version, loopDelay });
  const gauge = (name: string, help: string, read: () => number): void => {
    metrics.gauge({ name, help, collect: (made) => made.set(read()) });
  };
  gauge("controller_connected", "1 while the stream to the controller is open.", () =>
    isConnected() ? 1 : 0,
  );
  gauge("agent_vips_planned", "VIPs in the plan in force.", () => countVips(view()));
  gauge("agent_vips_held", "VIPs of ours that the kernel of this host has.", () => {
    return heldVips(view().look?.report.resources ?? new Map());
  });
  gauge("agent_listeners", "Listeners in the proved nginx generation.", () => {
    return view().applied.listeners.size;
  });
  gauge("agent_problems", "Resources that are left out or served without a wish.", () => {
    return view().applied.problems.size;
  });
  gauge("agent_plan_epoch", "Leader epoch of the plan in force.", () => view().wanted?.epoch ?? 0);
  gauge("proxy_generations", "Generations of nginx with living workers.", () => {
    return view().look?.observed.generations.length ?? 0;
  });
  gauge("proxy_generations_bytes", "Anonymous memory of all generations of nginx.", () => {
    return sumOf(view(), ({ memoryBytes }) => memoryBytes);
  });
  gauge("proxy_generation_age_seconds", "Age of the oldest generation of nginx that lives.", () => {
    const ages = view().look?.observed.generations.map(({ ageMs }) => ageMs / 1000) ?? [];
    return Math.max(0, ...ages);
  });
  metrics.gauge({
    name: "proxy_udp_sessions",
    help: "Sessions of nginx over UDP, with the host's own few connected sockets; 0 without any.",
    collect: async (made) => {
      const isServing = view().look?.observed.udpGeneration !== undefined;
      made.set(isServing ? await countUdpSessions() : 0);
    },
  });
  gauge("keepalived_up", "1 while keepalived runs.", () => {
    return view().look?.observed.keepalivedAlive === true ? 1 : 0;
  });
  gauge("agent_input_guarded", "1 while VIPs answer on their listeners alone.", () =>
    isFree(view(), "unguarded"),
  );
  gauge("agent_members_reachable", "1 while connections find members in the kernel.", () =>
    isFree(view(), "unrouted"),
  );
  const applied = metrics.histogram({
    name: "agent_plan_applied_seconds",
    help: "From the arrival of a plan until all of it that the host takes is in force.",
    buckets: APPLIED_SECONDS,
  });
  options.times.applied.follow((tookMs) => applied.observe(tookMs / 1000));
  addCounters(metrics, options);
  return metrics;
}

function addCounters(
  metrics: Metrics,
  { view, times: { fed } }: Pick<AgentMetricsOptions, "view" | "times">,
): void {
  metrics.counter({
    name: "agent_passes_total",
    help: "Passes of the converging loop.",
    total: () => view().passes,
  });
  metrics.counter({
    name: "agent_plans_fed_total",
    help: "Plans of the controller that changed members in the kernel's table.",
    total: () => fed.plans,
  });
  metrics.counter({
    name: "agent_plans_fed_seconds_total",
    help: "Time from the arrival of each of these plans to its members there, added up.",
    total: () => fed.totalMs / 1000,
  });
  metrics.counter({
    name: "proxy_reloads_total",
    help: "Reloads of nginx.",
    total: () => view().reloads,
  });
}

/** Alive: the loop answers. */
export function agentHealth(): HealthReport {
  return { ok: true, detail: [{ name: "loop", ok: true }] };
}

/** Ready: the last good plan is in force; stays so while the controller is away. */
export function agentReadiness(view: ConvergeView, isConnected: boolean): HealthReport {
  const hasPlan = view.wanted !== undefined;
  const isApplied = hasPlan && view.appliedPlan === view.wanted.revision;
  const seen = view.look?.report.remarks.filter(({ reason }) => reason === "DataPlaneDown") ?? [];
  const troubles = [...view.applied.remarks, ...seen].map(({ detail }) => detail);
  return {
    ok: isApplied && troubles.length === 0,
    detail: [
      { name: "plan", ok: isApplied, ...(hasPlan ? {} : { detail: "no plan yet" }) },
      {
        name: "data-plane",
        ok: troubles.length === 0,
        ...(troubles[0] === undefined ? {} : { detail: troubles[0] }),
      },
      { name: "controller", ok: true, detail: isConnected ? "connected" : "not connected" },
    ],
  };
}

/** 1 where a look was taken that found no such trouble. */
function isFree({ look }: ConvergeView, trouble: "unguarded" | "unrouted"): 0 | 1 {
  return look === undefined || look.observed[trouble] !== undefined ? 0 : 1;
}

function countVips(view: ConvergeView): number {
  let count = 0;
  for (const resource of view.wanted?.plan.resources.values() ?? []) {
    if (resource.kind === "vip") count += 1;
  }
  return count;
}

function sumOf({ look }: ConvergeView, of: (one: ObservedGeneration) => number): number {
  return (look?.observed.generations ?? []).reduce((sum, one) => sum + of(one), 0);
}
