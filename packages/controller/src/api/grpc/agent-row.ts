// One agent as a row: its plan, what it holds, and its trouble. Pure; every value is the own last
// word of the agent, or what the streams know of its plan.

import {
  type AgentName,
  type AgentView,
  type Link,
  type Remark,
  type Revision,
  present,
} from "@fairlead/model";
import type { AgentRowSchema, MessageInitShape } from "@fairlead/wire";

import type { CycleView } from "../../cycle-view.ts";
import type { AdminContext } from "./admin-context.ts";
import { wholeMs } from "./age.ts";
import { remarkRow } from "./remark-row.ts";

/** Hex digits of a revision that people read. */
const REVISION_DIGITS = 12;

/** The row of an agent that has connected once. */
export function agentRow(
  { nowMs, view, syncState }: AdminContext,
  name: AgentName,
): MessageInitShape<typeof AgentRowSchema> {
  const agent = present(view.state.agents.get(name), "the agent is known");
  const sync = syncState(name);
  const { report, hello } = agent;
  const drained = drainedSince(view, name);
  return {
    name,
    state: agent.connected ? "connected" : "disconnected",
    version: hello.version,
    wantedRevision: shortRevision(sync.wanted),
    appliedRevision: shortRevision(report?.planRevision ?? sync.acked ?? hello.planRevision),
    sync: sync.state,
    vipsHeld: heldVips(agent),
    vipsPlanned: plannedVips(view, name),
    generationsAlive: report?.dataPlane.generationsAlive ?? 0,
    generationsBytes: BigInt(report?.dataPlane.generationsBytes ?? 0),
    keepalivedAlive: report?.dataPlane.keepalivedAlive ?? false,
    keepalivedNeeded: runsLanes(view, name),
    lastSeenMs: wholeMs(nowMs - agent.heardAtMs),
    links: hello.links.map(linkText),
    remarks: agentRemarks(view, agent, sync).map(remarkRow),
    ...(drained === undefined ? {} : { drainedSinceMs: BigInt(Math.trunc(drained)) }),
  };
}

/** Since when the agent is drained, epoch ms; undefined: it is not. */
export function drainedSince({ plan }: CycleView, name: AgentName): number | undefined {
  return plan?.intents.find((one) => one.kind === "drain" && one.agent === name)?.sinceMs;
}

/** A revision as people read it; empty when there is none. */
export function shortRevision(revision: Revision | undefined): string {
  return revision?.slice(0, REVISION_DIGITS) ?? "";
}

/** A link in words: `eth0 10.77.0.11/24`. */
export function linkText({ name, prefixes, up }: Link): string {
  const texts = prefixes.map(({ address, length }) => `${address}/${length}`);
  return [name, ...texts, ...(up ? [] : ["down"])].join(" ");
}

/** How many addresses of ours the agent's kernel has, by its last report. */
export function heldVips({ report }: AgentView): number {
  let count = 0;
  for (const [name, { step }] of report?.resources ?? []) {
    if (name.startsWith("vip/") && step === "serving") count += 1;
  }
  return count;
}

/** How many addresses the agent may have to hold, as holder or as successor. */
export function plannedVips(view: CycleView, name: AgentName): number {
  let count = 0;
  for (const { kind } of view.plan?.nodePlans.get(name)?.resources.values() ?? []) {
    if (kind === "vip") count += 1;
  }
  return count;
}

/** Whether the agent's plan has a lane for it to run, and not to listen to alone. */
export function runsLanes({ plan }: CycleView, name: AgentName): boolean {
  for (const resource of plan?.nodePlans.get(name)?.resources.values() ?? []) {
    if (resource.kind === "lane" && resource.listens !== true) return true;
  }
  return false;
}

/** Everything that is wrong with an agent, each once. */
export function agentRemarks(
  view: CycleView,
  agent: AgentView,
  sync: ReturnType<AdminContext["syncState"]>,
): readonly Remark[] {
  const found: Remark[] = view.findings.filter(
    ({ subject, name }) => subject === "agent" && name === agent.name,
  );
  if (agent.withdrawn === true) {
    found.push({ reason: "AgentWithdrawn", detail: "its operator withdrew it" });
  } else if (!agent.connected && found.every(({ reason }) => reason !== "AgentUnreachable")) {
    found.push({ reason: "AgentUnreachable", detail: "its stream is closed" });
  }
  if (agent.connected) found.push(...(agent.report?.remarks ?? []));
  const { state, detail, reason = "ConfigRejected" } = sync;
  if (state === "rejected") found.push({ reason, detail });
  const byText = new Map(found.map((remark) => [`${remark.reason}\n${remark.detail}`, remark]));
  return [...byText.values()];
}
