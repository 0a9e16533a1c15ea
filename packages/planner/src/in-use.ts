// Addresses that hosts have which are none of ours. Given what agents heard when they asked their
// segments; tells what counts of it now. An address that one of ours holds is not a stranger's.

import type { Address, AgentName, AgentView, World } from "@fairlead/model";
import { vipName } from "@fairlead/model";

import { couldHold, isWithdrawn } from "./proof.ts";
import { type Witnesses, provesHolding } from "./witness.ts";

/**
 * An address that a stranger answered for is not tried again for this long, in ms: as long as an
 * address rests by default.
 */
export const STRANGER_MS = 60_000;

/** By address, the MAC address of the stranger that has it. */
export type InUse = ReadonlyMap<Address, string>;

/**
 * Finds them. What was published counts when nobody of ours holds it any more.
 * @param forgotten agents that were declared gone: they hold nothing, whatever they said.
 */
export function findInUse(
  world: World,
  witnesses: Witnesses,
  forgotten: ReadonlySet<AgentName>,
): InUse {
  const inUse = new Map<Address, string>();
  const ours = ownMacs(world);
  const view = { world, witnesses, forgotten };
  for (const agent of world.agents.values()) {
    for (const [address, { mac, heardAtMs }] of agent.strangers ?? []) {
      const isNow = saysInUse(agent, address) || world.nowMs - heardAtMs < STRANGER_MS;
      if (!isNow || ours.has(mac) || isHeldByUs(view, address)) continue;
      const known = inUse.get(address);
      if (known === undefined || mac < known) inUse.set(address, mac);
    }
  }
  return inUse;
}

function saysInUse({ report }: AgentView, address: Address): boolean {
  return report?.resources.get(vipName(address))?.problem?.reason === "AddressInUse";
}

function ownMacs({ agents }: World): ReadonlySet<string> {
  const macs = new Set<string>();
  for (const { hello } of agents.values()) for (const { mac } of hello.links) macs.add(mac);
  return macs;
}

interface InUseView {
  readonly world: World;
  readonly witnesses: Witnesses;
  readonly forgotten: ReadonlySet<AgentName>;
}

function isHeldByUs({ world, witnesses, forgotten }: InUseView, address: Address): boolean {
  const row = world.leases.get(address);
  if (row === undefined) return false;
  const sentTo = row.sentTo.filter((name) => !forgotten.has(name));
  if (row.published) {
    const { placement } = row;
    const lane = placement.kind === "lane" ? world.lanes.get(placement.lane) : undefined;
    const order = lane?.order.filter((name) => !forgotten.has(name)) ?? [];
    const [left, leftLane] = [{ ...row, sentTo }, lane && { ...lane, order }];
    const isDeserted = couldHold(left, leftLane).length === 0 && couldHold(row, lane).length > 0;
    return !isDeserted && !isWithdrawn(left, leftLane, { witnesses, nowMs: world.nowMs });
  }
  return sentTo.some((name) => {
    const view = witnesses.get(name)?.view;
    return view?.connected === true && provesHolding(view, address);
  });
}
