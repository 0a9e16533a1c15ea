// Addresses by which agents speak VRRP. A pool may have them by mistake, and then a plan has one as
// a VIP: two hosts would have it, and the agent whose own it is could not be reached. Pure.

import type { Address, AgentName, VipResource } from "@fairlead/model";

import type { Problem } from "./applied.ts";
import type { AcceptedPlan } from "./ports.ts";

const NOBODY: ReadonlyMap<Address, AgentName> = new Map();
const found = new WeakMap<AcceptedPlan, ReadonlyMap<Address, AgentName>>();

/** Who speaks in lanes of the plan, by the address. Of the same plan it is the same object. */
export function speakersOf(wanted: AcceptedPlan | undefined): ReadonlyMap<Address, AgentName> {
  if (wanted === undefined) return NOBODY;
  const known = found.get(wanted);
  if (known !== undefined) return known;
  const speakers = new Map<Address, AgentName>();
  for (const resource of wanted.plan.resources.values()) {
    if (resource.kind !== "lane") continue;
    for (const { agent, address } of resource.order) speakers.set(address, agent);
  }
  found.set(wanted, speakers);
  return speakers;
}

/** Why nobody holds this VIP; undefined where it is no agent's own address. */
export function ownAddressProblem(
  wanted: AcceptedPlan,
  { name, address }: VipResource,
): Problem | undefined {
  const agent = speakersOf(wanted).get(address);
  const revision = wanted.revisions.get(name);
  if (agent === undefined || revision === undefined) return undefined;
  const detail = `${address} is the own address of agent ${agent}`;
  return { reason: "AddressInUse", detail, revision };
}
