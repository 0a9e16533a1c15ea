// What there is to say of an agent: its stream, its links, its plan, its lanes and what it holds.
// Pure. These do not hang on each other, so each stands as it is.

import {
  type AgentView,
  type DataPlaneReport,
  type Lane,
  type LaneReport,
  type Reason,
  laneName,
} from "@fairlead/model";

import { isFrozen } from "@fairlead/planner";

import { countText } from "../../acts/lane-text.ts";
import type { AdminContext } from "./admin-context.ts";
import {
  agentRemarks,
  drainedSince,
  heldVips,
  linkText,
  plannedVips,
  runsLanes,
  shortRevision,
} from "./agent-row.ts";
import { type ExplainInit, type Link, link, tellLinks } from "./chain.ts";

/** The chain of an agent that has connected once. */
export function explainAgent(context: AdminContext, agent: AgentView): ExplainInit {
  const links = [
    connectedLink(agent),
    linksLink(agent),
    ...drainLinks(context, agent),
    sentLink(context, agent),
    lanesLink(context, agent),
    heldLink(context, agent),
    dataPlaneLink(context, agent),
    ...troubleLinks(context, agent),
  ];
  return tellLinks(`Agent ${agent.name}`, links, context.nowMs);
}

function connectedLink({ connected, withdrawn, hello, disconnectedAtMs }: AgentView): Link {
  if (connected) return link("Connected", "good", `version ${hello.version}`);
  const since = { sinceMs: disconnectedAtMs };
  if (withdrawn === true) {
    const detail = "its operator withdrew it; it is back when it is started again";
    return link("Connected", "doubt", detail, { reason: "AgentWithdrawn", ...since });
  }
  const detail = "its stream is closed; what follows is its last word";
  return link("Connected", "broken", detail, { reason: "AgentUnreachable", ...since });
}

function linksLink({ hello }: AgentView): Link {
  const texts = hello.links.map(linkText);
  const isReachable = hello.links.some(({ up, prefixes }) => up && prefixes.length > 0);
  if (isReachable) return link("Links", "good", texts.join(", "));
  const detail = texts.length === 0 ? "it has no link" : `${texts.join(", ")}: none is usable`;
  return link("Links", "broken", detail, { reason: "NoSegment" });
}

/** Whether it is drained, and what it holds all the same. */
function drainLinks({ view }: AdminContext, agent: AgentView): readonly Link[] {
  const sinceMs = drainedSince(view, agent.name);
  if (sinceMs === undefined) return [];
  const held = heldVips(agent);
  if (held === 0) return [link("Drained", "good", "others hold everything", { sinceMs })];
  const why = view.plan !== undefined && isFrozen(view.plan) ? "all is frozen" : "";
  const rest = why === "" ? "nobody else can hold them yet, or they do not move" : why;
  return [link("Drained", "doubt", `it still holds ${countText(held)}: ${rest}`, { sinceMs })];
}

function sentLink({ syncState }: AdminContext, { name }: AgentView): Link {
  const { state, acked, detail } = syncState(name);
  switch (state) {
    case "in-sync":
      return link("Sent", "good", `plan ${shortRevision(acked)} is applied`);
    case "behind":
      return link("Sent", "doubt", detail, { reason: "WaitingForAgent" });
    case "rejected":
      return link("Sent", "broken", detail, { reason: "ConfigRejected" });
    case "unknown":
      return link("Sent", "unknown", detail);
  }
}

function lanesLink({ view }: AdminContext, { name, report, connected }: AgentView): Link {
  const lanes = [...(view.plan?.lanes.values() ?? [])].filter(({ order }) => order.includes(name));
  if (lanes.length === 0) return link("Lanes", "good", "it is in no lane");
  const said = new Map(report?.lanes.map((lane) => [lane.name, lane.state]));
  const wanted = view.plan?.nodePlans.get(name)?.resources;
  const texts = lanes.map((lane) => {
    const resource = wanted?.get(laneName(lane.id));
    const isListening = resource?.kind === "lane" && resource.listens === true;
    if (isListening) return `listens until it hears who holds ${lane.id}`;
    return laneText(lane, said.get(laneName(lane.id)));
  });
  const isFaulty = lanes.some(({ id }) => said.get(laneName(id)) === "fault");
  if (!connected) return link("Lanes", "unknown", texts.join(", "));
  if (isFaulty) return link("Lanes", "broken", texts.join(", "), { reason: "NotHeld" });
  return link("Lanes", "good", texts.join(", "));
}

function laneText(lane: Lane, state: LaneReport["state"] | undefined): string {
  switch (state) {
    case "holder":
      return `holds ${lane.id}`;
    case "successor":
      return `stands by for ${lane.id}`;
    case "fault":
      return `is at fault in ${lane.id}`;
    case "absent":
    case undefined:
      return `does not run ${lane.id} yet`;
  }
}

function heldLink({ view }: AdminContext, agent: AgentView): Link {
  const planned = plannedVips(view, agent.name);
  const held = heldVips(agent);
  const detail = `its kernel has ${held} of the ${planned} VIPs that it may have to hold`;
  return link("Held", agent.connected ? "good" : "unknown", detail);
}

function dataPlaneLink({ view }: AdminContext, agent: AgentView): Link {
  const { report } = agent;
  if (report === undefined) return link("Data plane", "unknown", "it has not reported yet");
  const { generation, keepalivedAlive } = report.dataPlane;
  const nginx =
    generation === undefined
      ? "no nginx generation answers"
      : `nginx generation ${generation} answers, ${generationsOf(report.dataPlane)}`;
  const detail = `keepalived ${keepalivedAlive ? "runs" : "does not run"}; ${nginx}`;
  const isNeeded = plannedVips(view, agent.name) > 0;
  const isHolding = keepalivedAlive || !runsLanes(view, agent.name);
  const isUp = isHolding && generation !== undefined;
  if (!agent.connected) return link("Data plane", "unknown", detail);
  if (isUp || !isNeeded) return link("Data plane", "good", detail);
  return link("Data plane", "broken", detail, { reason: "DataPlaneDown" });
}

/** `3 alive with up to 48 MB, 7 reloads`. */
function generationsOf(plane: DataPlaneReport): string {
  const { udpGeneration, generationsAlive, generationsBytes, reloads } = plane;
  const memory =
    generationsBytes === undefined
      ? ""
      : ` with up to ${Math.ceil(generationsBytes / 1_000_000)} MB`;
  const udp = udpGeneration === undefined ? "" : `${udpGeneration} over UDP, `;
  return `${udp}${generationsAlive} alive${memory}, ${reloads} reloads`;
}

/** By the links before. */
const TOLD: readonly Reason[] = ["AgentUnreachable", "AgentWithdrawn", "ConfigRejected"];

function troubleLinks(context: AdminContext, agent: AgentView): readonly Link[] {
  const sync = context.syncState(agent.name);
  return agentRemarks(context.view, agent, sync)
    .filter(({ reason }) => !TOLD.includes(reason))
    .map(({ reason, detail }) => link("Trouble", "broken", detail, { reason }));
}
