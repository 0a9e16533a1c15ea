// The links of a claim about where it is to be served: the lanes of its addresses, and whether the
// agents of those lanes have their plans. Pure.

import {
  type AgentName,
  type Claim,
  laneName,
  type LeasedAddress,
  listenerName,
  memberSetName,
  type ResourceName,
  type Verdict,
  vipName,
} from "@fairlead/model";

import { syncStateFor } from "../../rejected-parts.ts";
import type { AdminContext } from "./admin-context.ts";
import { shortRevision } from "./agent-row.ts";
import { type Link, link } from "./chain.ts";
import { holdingsOf, orderOf } from "./evidence.ts";
import { remarkAt } from "./reason-links.ts";

/** A claim with everything that its links are made of. */
export interface Given {
  readonly context: AdminContext;
  readonly claim: Claim;
  readonly verdict: Verdict;
  /** The leases of the verdict's addresses. */
  readonly leases: readonly LeasedAddress[];
}

/** In which lane each address rides, and who is to hold it. */
export function placedLink({ context, verdict, leases }: Given): Link {
  if (leases.length === 0) return link("Placed", "unknown", "there is no address to place");
  const remark = remarkAt([verdict.main, ...verdict.remarks], "Placed");
  const unplaced = leases.find(({ placement }) => placement.kind === "unplaced");
  if (unplaced !== undefined) {
    const detail = remark?.detail ?? `no agent may hold ${unplaced.address} yet`;
    return link("Placed", "broken", detail, { reason: remark?.reason ?? "NoAgents" });
  }
  const detail = [...new Set(leases.map((lease) => placementText(context, lease)))].join("; ");
  if (remark === undefined) return link("Placed", "good", detail);
  return link("Placed", "doubt", `${detail}, but ${remark.detail}`, { reason: remark.reason });
}

/** Where an address is to be held: `lane 10.77.0.0/24#1: lb1, then lb2, lb3`. */
export function placementText({ view }: AdminContext, lease: LeasedAddress): string {
  const { placement } = lease;
  const [first, ...others] = orderOf(view, lease);
  const order = others.length === 0 ? (first ?? "nobody") : `${first}, then ${others.join(", ")}`;
  switch (placement.kind) {
    case "unplaced":
      return "nowhere yet";
    case "lane":
      return `lane ${placement.lane}: ${order}`;
    case "host":
      return `${placement.agent} on ${placement.link}`;
  }
}

/** Whether the agents that are to hold the addresses have of their plans what is for this claim. */
export function sentLink(given: Given): Link {
  const { context, verdict, leases } = given;
  const { view } = context;
  const agents = [...new Set(leases.flatMap((lease) => orderOf(view, lease)))];
  const [preferred] = agents;
  if (preferred === undefined) return link("Sent", "unknown", "there is nobody to send it to");
  const holder = leases.flatMap(({ address }) => holdingsOf(view, address, agents))[0]?.agent.name;
  const main = holder ?? preferred;
  const own = resourcesOf(given);
  const states = agents.map((agent) => ({
    agent,
    ...syncStateFor(context.syncState(agent), (name) => own.has(name)),
  }));
  const behind = states.filter(({ state }) => state !== "in-sync");
  if (behind.length === 0) {
    const revision = shortRevision(context.syncState(main).acked);
    const detail = `applied by ${agents.join(", ")}; the plan of ${main} is ${revision}`;
    return link("Sent", "good", detail);
  }
  const detail = behind.map(({ agent, detail: why }) => `${agent}: ${why}`).join("; ");
  // A refusal may leave what served before in force; what it means is said further down.
  const isStuck = behind.some(({ agent, state }) => agent === main && state !== "rejected");
  const isBroken = isStuck && verdict.state !== "ready";
  const reason = reasonOf(context, main);
  return link("Sent", isBroken ? "broken" : "doubt", detail, isStuck ? { reason } : {});
}

/** Names of what agents are given for this claim. */
function resourcesOf({ claim, leases }: Given): ReadonlySet<ResourceName> {
  const names = leases.flatMap(({ address, placement }) => [
    vipName(address),
    ...(placement.kind === "lane" ? [laneName(placement.lane)] : []),
    ...claim.listeners.flatMap(({ protocol, port }) => [
      listenerName(address, protocol, port),
      memberSetName(address, protocol, port),
    ]),
  ]);
  return new Set(names);
}

function reasonOf(
  { view }: AdminContext,
  agent: AgentName,
): "WaitingForAgent" | "AgentUnreachable" | "AgentWithdrawn" {
  const known = view.state.agents.get(agent);
  if (known?.withdrawn === true) return "AgentWithdrawn";
  return known?.connected === true ? "WaitingForAgent" : "AgentUnreachable";
}
