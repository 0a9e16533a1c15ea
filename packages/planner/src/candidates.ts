// Which agents may carry a VIP: those with a link in its segment that its pool allows. Given
// segments, pools and intents; agents whose stream is closed are known too, but come last.

import {
  type AddressPool,
  type AgentName,
  type AgentView,
  type DeviceName,
  type Link,
  type World,
  compareText,
} from "@fairlead/model";

import { speakers } from "./peers.ts";
import { type SegmentView, linkIn } from "./segments.ts";
import { isDrained } from "./will.ts";

/** What a pool demands of the agents that hold its addresses. Equal rules have one key. */
export interface CarrierRule {
  readonly key: string;
  /** Empty: all. */
  readonly agents: readonly AgentName[];
  readonly device?: DeviceName;
}

/** The rule of a pool; the open one for an address that lies in none. */
export function ruleOf(pool: AddressPool | undefined): CarrierRule {
  const agents = [...(pool?.agents ?? [])].sort(compareText);
  const key = `${pool?.link ?? ""} ${agents.join(" ")}`;
  return pool?.link === undefined ? { key, agents } : { key, agents, device: pool.link };
}

/** Whether the rule allows the agent. */
export function isAllowedBy(rule: CarrierRule, agent: AgentName): boolean {
  return rule.agents.length === 0 || rule.agents.includes(agent);
}

/**
 * Agents that may be put into new places of lanes, sorted by name: the connected ones, or all
 * that are known when none is. An agent that is being drained is taken when there is no other.
 */
export function candidatesIn(
  world: World,
  segment: SegmentView,
  rule: CarrierRule,
): readonly AgentName[] {
  const links = new Map<AgentName, Link>();
  for (const name of [...segment.links.keys()].sort(compareText)) {
    const link = isAllowedBy(rule, name) ? linkIn(segment, name, rule.device) : undefined;
    if (link?.up === true) links.set(name, link);
  }
  const staying = prefer([...links], ([name]) => !isDrained(world, name));
  // Who is there takes no second place behind one that has gone and had its address.
  const present = prefer(staying, ([name]) => isConnected(world.agents.get(name)));
  return speakers(new Map(present), segment.name);
}

/** Those for which the test holds; all when it holds for none. */
export function prefer<T>(all: readonly T[], test: (one: T) => boolean): readonly T[] {
  const preferred = all.filter(test);
  return preferred.length > 0 ? preferred : all;
}

function isConnected(agent: AgentView | undefined): boolean {
  return agent?.connected ?? false;
}
