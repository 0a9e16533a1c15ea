// What becomes of a plan, for tests: agents that prove what they were told, and what is said of a
// claim in one line. Given a world and its plan.

import {
  type Address,
  type AgentName,
  type AgentReport,
  type AgentView,
  type LaneHearing,
  type NodePlan,
  type Plan,
  type Resource,
  type ResourceName,
  type ResourceReport,
  type Revision,
  type Verdict,
  type World,
  addressOfResource,
  present,
} from "@fairlead/model";
import { createRevisions } from "@fairlead/wire";

import { device } from "./node-plan-builders.ts";

/** What the plan says of the Service `namespace/name`. */
export function findVerdict(plan: Plan, title: string): Verdict {
  const full = title.includes("/") ? title : `default/${title}`;
  const verdict = [...plan.verdicts.values()].find(({ claim }) => claim === `service/${full}`);
  return present(verdict, `${full} has a verdict`);
}

/** The verdict in one line: `ready 192.0.2.100`, `pending PoolExhausted`. */
export function verdictLine(plan: Plan, title: string): string {
  const { state, addresses, main } = findVerdict(plan, title);
  const held = addresses.map(({ address }) => address);
  return [state, ...held, ...(main === undefined ? [] : [main.reason])].join(" ");
}

/** The real revisions, for packages that may not see where they are computed. */
export function makeRevisionOf(): (resource: Resource) => Revision {
  return createRevisions().revisionOf;
}

/** The planner's plan of a world. */
export type Planning = (
  world: World,
  options: { readonly revisionOf: (resource: Resource) => Revision },
) => Plan;

/** How agents answer a plan. */
export interface ProveOptions {
  readonly revisionOf?: (resource: Resource) => Revision;
  /** Agents that are cut off: they report nothing and hold nothing from others' view. */
  readonly dead?: readonly string[];
  /** When the reports arrive; the world's time when absent. */
  readonly atMs?: number;
}

/**
 * The agents after they applied their plans: the first living agent of each lane holds its VIPs,
 * each agent has what it holds by itself, every agent serves every listener, and those who can tell
 * hear the holders that they know of. Dead ones keep what they reported, out of reach.
 */
export function proveAll(
  world: World,
  plan: Plan,
  options: ProveOptions = {},
): readonly AgentView[] {
  const { revisionOf = makeRevisionOf(), dead = [], atMs = world.nowMs } = options;
  const isDead = (agent: AgentName): boolean => dead.some((name) => name === agent);
  const holders = new Map(
    Array.from(plan.lanes.values(), (lane) => [
      lane.id,
      lane.order.find((agent) => !isDead(agent) && plan.nodePlans.has(agent)),
    ]),
  );
  return Array.from(world.agents.values(), (view) => {
    if (isDead(view.name)) return { ...view, connected: false, disconnectedAtMs: atMs };
    const wanted = plan.nodePlans.get(view.name);
    if (wanted === undefined || !view.connected) return view;
    const holds = (resource: Resource): boolean =>
      resource.kind !== "vip" ||
      resource.carrier.kind === "link" ||
      holders.get(resource.carrier.lane) === view.name;
    const made = makeReport(wanted, holds, revisionOf);
    const canTell = view.hello.capabilities.includes("hearing");
    const report = canTell ? { ...made, hearing: heardBy(wanted) } : made;
    return { ...view, report, heardAtMs: atMs, heldSinceMs: heldSince(view, report, atMs) };
  });
}

/** An agent as it is known after its operator withdrew it. */
export function makeWithdrawn(view: AgentView, atMs: number): AgentView {
  const lostAtMs = new Map(Array.from(view.heldSinceMs.keys(), (address) => [address, atMs]));
  const ended = { connected: false, withdrawn: true, disconnectedAtMs: atMs, lostAtMs } as const;
  const { report } = view;
  const dataPlane = { generationsAlive: 0, keepalivedAlive: false, reloads: 1 };
  const nothing = report && { ...report, resources: new Map(), lanes: [], remarks: [], dataPlane };
  const said = nothing === undefined ? {} : { report: nothing };
  return { ...view, ...ended, ...said, heldSinceMs: new Map() };
}

/** A report of an agent on which all of its plan serves, but VIPs that it does not hold. */
export function makeReport(
  wanted: NodePlan,
  holds: (resource: Resource) => boolean,
  revisionOf: (resource: Resource) => Revision,
): AgentReport {
  const resources = new Map<ResourceName, ResourceReport>();
  const lanes: AgentReport["lanes"][number][] = [];
  const held = new Set<string>();
  for (const resource of wanted.resources.values()) {
    if (resource.kind === "vip" && resource.carrier.kind === "lane" && holds(resource)) {
      held.add(resource.carrier.resource);
    }
  }
  for (const resource of wanted.resources.values()) {
    const isHeld = holds(resource);
    resources.set(resource.name, {
      name: resource.name,
      revision: revisionOf(resource),
      step: isHeld ? "serving" : "applied",
      evidence:
        resource.kind === "vip" && isHeld ? [{ kind: "kernel-address", link: device("eth0") }] : [],
    });
    if (resource.kind !== "lane" || resource.listens === true) continue;
    const state = held.has(resource.name) ? "holder" : "successor";
    lanes.push({ name: resource.name, state, order: resource.order });
  }
  return {
    agent: wanted.agent,
    sequence: 1,
    epoch: 1,
    links: [],
    resources,
    lanes,
    dataPlane: { generation: "1", generationsAlive: 1, keepalivedAlive: true, reloads: 1 },
    remarks: [],
  };
}

function heardBy({ agent, resources }: NodePlan): readonly LaneHearing[] {
  return Array.from(resources.values()).flatMap((one): readonly LaneHearing[] => {
    if (one.kind !== "lane" || one.holder === undefined || one.holder === agent) return [];
    return [{ lane: one.name, state: "heard", holder: one.holder }];
  });
}

function heldSince(view: AgentView, report: AgentReport, atMs: number): Map<Address, number> {
  const held = new Map<Address, number>();
  for (const resource of report.resources.values()) {
    if (!resource.name.startsWith("vip/") || resource.step !== "serving") continue;
    const at = addressOfResource(resource.name);
    if (at !== undefined) held.set(at, view.heldSinceMs.get(at) ?? atMs);
  }
  return held;
}
