// The controller's metrics and what its health pages say. Read from the loop's view at the moment
// of a scrape. Labels are of closed sets or of pools and families: no Service's name becomes one.

import {
  type AddressPool,
  type AgentName,
  type Family,
  type LeasedAddress,
  type Reason,
  type VerdictState,
  familyOf,
} from "@fairlead/model";
import { poolFamilies, poolSize } from "@fairlead/planner";
import { type HealthReport, type Metrics, createMetrics } from "@fairlead/runtime";

import { poolsNamed } from "./cluster-state.ts";
import type { CycleView } from "./cycle-view.ts";
import type { MoveRecord } from "./move-book.ts";
import { poolInUse } from "./pool-in-use.ts";
import { insideOf } from "./pool-usage.ts";
import type { SyncState } from "./ports.ts";
import { addExternalPools } from "./registrar-metrics.ts";

/** What the loop tells as it happens. */
export interface ControllerMetrics {
  readonly metrics: Metrics;
  /** A planning ended; how long it took, in ms. */
  readonly planned: (tookMs: number) => void;
  /** A transaction of the store ended; the rows that it wrote. */
  readonly stored: (rows: number) => void;
  /** Addresses are held by another agent than before; each move is told once. */
  readonly moved: (moves: readonly MoveRecord[]) => void;
}

/** Bounds of planning's histogram in seconds: from an idle loop to ten thousand Services anew. */
const PLAN_SECONDS: readonly number[] = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3];

/** Bounds of the gap's histogram in seconds: from a planned move to a takeover at slow adverts. */
const GAP_SECONDS: readonly number[] = [0.01, 0.03, 0.1, 0.3, 0.5, 1, 3, 10, 30];

const SYNC_STATES: readonly SyncState["state"][] = ["in-sync", "behind", "rejected", "unknown"];
const VERDICT_STATES: readonly VerdictState[] = ["ready", "pending", "refused"];

/** Registers the metrics. `view` is asked at each scrape. */
export function createControllerMetrics(options: {
  readonly version: string;
  readonly view: () => CycleView;
  /** Whether an agent has its newest plan; asked at each scrape. */
  readonly syncState: (agent: AgentName) => SyncState["state"];
}): ControllerMetrics {
  const { version, view, syncState } = options;
  const metrics = createMetrics({ program: "fairlead-controller", version });
  addServices(metrics, view);
  addAgents(metrics, view);
  addPools(metrics, view);
  addExternalPools(metrics, view);
  metrics.gauge({
    name: "agent_plans",
    help: "Agents by whether they applied their newest plan.",
    labels: ["state"],
    zeros: () => SYNC_STATES.map((state) => ({ state })),
    counts: () => Array.from(view().state.agents.keys(), (agent) => ({ state: syncState(agent) })),
  });
  addLead(metrics, view);
  metrics.gauge({
    name: "findings",
    help: "Remarks about files, pools, agents and addresses, by reason.",
    labels: ["reason"],
    counts: () => view().findings.map(({ reason }) => ({ reason })),
  });
  metrics.counter({
    name: "plans_total",
    help: "Plans that were made and became durable.",
    total: () => view().cycles,
  });
  const duration = metrics.histogram({
    name: "plan_duration_seconds",
    help: "How long planning took, without storing and sending.",
    buckets: PLAN_SECONDS,
  });
  const writes = metrics.counter({
    name: "store_writes_total",
    help: "Transactions that wrote to the store.",
  });
  const rows = metrics.counter({
    name: "store_rows_written_total",
    help: "Rows put into or deleted from the store.",
  });
  return {
    metrics,
    planned: (tookMs) => duration.observe(tookMs / 1000),
    stored: (count) => {
      writes.inc();
      rows.inc(count);
    },
    moved: addMoves(metrics),
  };
}

function addMoves(metrics: Metrics): ControllerMetrics["moved"] {
  const all = metrics.counter({
    name: "vip_moves_total",
    help: "Moves of addresses to another agent, also those whose gap is not known.",
    labels: ["cause"],
  });
  for (const cause of ["planned", "unplanned"] as const) all.inc({ cause }, 0);
  const gaps = metrics.histogram({
    name: "vip_move_gap_seconds",
    help:
      "How long nobody had an address that another agent holds now: measured between two reports " +
      "or two adverts, or at most, since the last report of one that is out of reach.",
    labels: ["cause", "gap"],
    buckets: GAP_SECONDS,
  });
  return (moves) => {
    for (const { isPlanned, gapMs, isGapAtMost = false } of moves) {
      const cause = isPlanned ? "planned" : "unplanned";
      const gap = isGapAtMost ? "at-most" : "measured";
      all.inc({ cause });
      if (gapMs !== undefined) gaps.observe({ cause, gap }, gapMs / 1000);
    }
  };
}

/** Alive: the loop answers. Trouble of the outside is no reason to be killed. */
export function controllerHealth(): HealthReport {
  return { ok: true, detail: [{ name: "loop", ok: true }] };
}

/** Ready: it plans, and what it plans is durable; or it stands by, and could do so at once. */
export function controllerReadiness(view: CycleView): HealthReport {
  const { notReady, lead } = view;
  const ok = notReady === undefined;
  const detail = notReady ?? (lead.leads ? undefined : `stands by; ${lead.holder} leads`);
  return { ok, detail: [{ name: "cycle", ok, ...(detail === undefined ? {} : { detail }) }] };
}

function addServices(metrics: Metrics, view: () => CycleView): void {
  metrics.gauge({
    name: "services",
    help: "Claims by what is said of them; reason is empty where all is well.",
    labels: ["state", "reason"],
    // So that an alert can tell none from no answer.
    zeros: () => VERDICT_STATES.map((state) => ({ state, reason: "" })),
    counts: () =>
      Array.from(view().plan?.verdicts.values() ?? [], ({ state, main }) => {
        const reason: Reason | "" = main?.reason ?? "";
        return { state, reason };
      }),
  });
}

function addAgents(metrics: Metrics, view: () => CycleView): void {
  metrics.gauge({
    name: "agents",
    help: "Agents that are known, by whether their stream is open.",
    labels: ["state"],
    collect: (gauge) => {
      const agents = [...view().state.agents.values()];
      const connected = agents.filter((agent) => agent.connected).length;
      gauge.set({ state: "connected" }, connected);
      gauge.set({ state: "disconnected" }, agents.length - connected);
    },
  });
}

function addPools(metrics: Metrics, view: () => CycleView): void {
  const labels = ["pool", "family"] as const;
  metrics.gauge({
    name: "pool_addresses",
    help: "Addresses that a pool may give.",
    labels,
    collect: (gauge) => {
      gauge.reset();
      for (const pool of poolsOf(view())) {
        for (const family of poolFamilies(pool)) {
          gauge.set({ pool: pool.name, family }, Number(poolSize(pool, family)));
        }
      }
    },
  });
  metrics.gauge({
    name: "pool_addresses_allocated",
    help: "Addresses that a pool may give and that are held, draining or quarantined.",
    labels: [...labels, "state"],
    counts: () =>
      leasesOf(view(), true).map(({ pool, address, state }) => {
        const family: Family = familyOf(address);
        return { pool, family, state: state.kind };
      }),
  });
  metrics.gauge({
    name: "pool_addresses_outside",
    help: "Addresses that a pool gave and may give no more, and that are held or draining.",
    labels,
    counts: () =>
      leasesOf(view(), false)
        .filter(({ state }) => state.kind !== "quarantined")
        .map(({ pool, address }) => ({ pool, family: familyOf(address) })),
  });
}

/** The pools that count, one of each name. */
function poolsOf(view: CycleView): readonly AddressPool[] {
  const names = new Set(Array.from(view.state.pools.values(), ({ value }) => value.name));
  return [...names].flatMap((name) => {
    const [seen] = poolsNamed(view.state, name);
    return seen === undefined ? [] : poolInUse(view, seen.value);
  });
}

/** Leases of addresses that their pools still give, or of those that they do not. */
function leasesOf(view: CycleView, areInside: boolean): readonly LeasedAddress[] {
  const isInside = insideOf(poolsOf(view));
  const leases = [...(view.plan?.leases.values() ?? [])];
  return leases.filter((lease) => isInside(lease) === areInside);
}

function addLead(metrics: Metrics, view: () => CycleView): void {
  metrics.gauge({
    name: "leader_epoch",
    help: "The epoch under which this controller writes; 0 while it does not lead.",
    collect: (gauge) => gauge.set(view().epoch),
  });
  metrics.gauge({
    name: "leading",
    help: "1 while this controller leads, 0 while it stands by.",
    collect: (gauge) => gauge.set(view().lead.leads ? 1 : 0),
  });
  metrics.gauge({
    name: "leader_known",
    help: "1 while it is known who leads; 0 on all controllers is a cluster that nobody serves.",
    collect: (gauge) => gauge.set(view().lead.holder === undefined ? 0 : 1),
  });
}
