// What somebody asks about, for tests of the answers: worlds that were planned and proved, and what
// happened to them since. Given how to plan; everything that a situation leaves out is the usual.

import type { AdminContext, CycleView, SyncState } from "@fairlead/controller";
import type {
  AgentName,
  AgentReport,
  AgentView,
  Plan,
  Reason,
  ResourceName,
  World,
} from "@fairlead/model";

import { makeClaim, makeWorld, nextWorld, type WorldOptions } from "../builders.ts";
import { makeCycleView } from "../cycle-views.ts";
import { makeRevisionOf, makeWithdrawn, type Planning, proveAll } from "../plan-answers.ts";

const revisionOf = makeRevisionOf();
const REVISION = "3f2a0b12cd34567890abcdef12345678" as NonNullable<SyncState["acked"]>;

/** How an agent stands that has all that it was sent. */
export const IN_SYNC: SyncState = {
  state: "in-sync",
  detail: "",
  wanted: REVISION,
  acked: REVISION,
};

type ServiceBook = NonNullable<AdminContext["services"]>;
type ServiceRecord = NonNullable<ReturnType<ServiceBook["get"]>>;

/** What happened before the question, and what is different in the loop's view. */
export interface Situation {
  readonly world?: WorldOptions;
  /** Agents prove their plans, but for these, which are cut off. */
  readonly proved?: { readonly dead?: readonly string[] };
  /** Changes what an agent's report says. */
  readonly report?: (report: AgentReport) => AgentReport;
  /** Ms between the proof and the question. */
  readonly laterMs?: number;
  readonly sync?: Readonly<Record<string, SyncState>>;
  readonly view?: Partial<CycleView>;
  readonly isUnplanned?: boolean;
  /** Agents whose stream closed right after the proof. */
  readonly away?: readonly string[];
  /** Agents that their operator withdrew right after the proof. */
  readonly withdrawn?: readonly string[];
  /** All claims were deleted after the proof. */
  readonly deleted?: boolean;
  /** A restarted controller's sources do not show the claims. */
  readonly vanished?: boolean;
  /** The Service as its cluster has it. */
  readonly record?: Partial<ServiceRecord>;
}

/** What answers are made from in a situation: five seconds after the last that happened. */
export function adminContextOf(situation: Situation, plan: Planning): AdminContext {
  let world = makeWorld({ claims: [makeClaim("web", { origin: "web.yaml" })], ...situation.world });
  let made: Plan | undefined;
  if (situation.isUnplanned !== true) {
    made = plan(world, { revisionOf });
    // Twice: the lane is settled by the first proof, and agents get another plan by that.
    for (let round = 0; situation.proved !== undefined && round < 2; round += 1) {
      const agents = proveAll(world, made, situation.proved).map((one) => changed(one, situation));
      world = nextWorld(world, made, { agents });
      made = plan(world, { revisionOf });
    }
    world = nextWorld(world, made, afterwards(situation, world));
    made = plan(world, { revisionOf });
  }
  const syncState = (agent: AgentName): SyncState => situation.sync?.[agent] ?? IN_SYNC;
  return {
    nowMs: world.nowMs + 5000,
    uptimeMs: 60_000,
    version: "0.1.0",
    view: makeCycleView(world, made, situation.view),
    syncState,
    ...(situation.record === undefined ? {} : { services: bookOf(situation.record, world) }),
  };
}

function bookOf(record: Partial<ServiceRecord>, { nowMs }: World): ServiceBook {
  const time = (agoMs: number): string => new Date(nowMs + 5000 - agoMs).toISOString();
  const web: ServiceRecord = {
    namespace: "default",
    name: "web",
    uid: "2f0c8a1e",
    resourceVersion: "812",
    generation: 1,
    type: "LoadBalancer",
    isDeleting: false,
    finalizers: ["fairlead.io/release"],
    ingress: [{ ip: "192.0.2.100", ipMode: "Proxy" }],
    conditions: [],
    writers: [
      { manager: "kubectl-create", parts: ["spec"], time: time(7_500_000) },
      { manager: "fairlead-finalizer", parts: ["finalizers"], time: time(4000) },
      { manager: "fairlead-status", parts: ["status.loadBalancer", "status.conditions"] },
    ],
    ...record,
  };
  return { get: (...at) => (at.join("/") === "default/web" ? web : undefined) };
}

function afterwards(situation: Situation, { agents, claims, nowMs }: World): WorldOptions {
  const { laterMs = 0, away = [], withdrawn = [], deleted = false, vanished = false } = situation;
  return {
    nowMs: nowMs + laterMs,
    agents: [...agents.values()].map((view) => {
      if (withdrawn.some((name) => name === view.name)) return makeWithdrawn(view, nowMs);
      const isAway = away.some((name) => name === view.name);
      return isAway ? { ...view, connected: false, disconnectedAtMs: nowMs } : view;
    }),
    ...(deleted || vanished ? { claims: [] } : {}),
    ...(vanished ? { absent: [...claims.values()] } : {}),
  };
}

function changed(view: AgentView, { report }: Situation): AgentView {
  if (view.report === undefined || report === undefined) return view;
  return { ...view, report: report(view.report) };
}

/** The report without a resource, or with trouble in its place. */
export function reportWithout(
  name: string,
  trouble?: { readonly reason: Reason; readonly detail: string },
): (report: AgentReport) => AgentReport {
  return (report) => {
    const resources = new Map(report.resources);
    const key = name as ResourceName;
    const old = resources.get(key);
    resources.delete(key);
    if (old !== undefined && trouble !== undefined) {
      const problem = { ...trouble, revision: old.revision };
      resources.set(key, { ...old, step: "received", evidence: [], problem });
    }
    return { ...report, resources };
  };
}
