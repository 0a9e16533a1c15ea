// Where an address goes that an agent holds by itself, without VRRP, or why it goes nowhere. Given
// its pool and the agents. Pure.

import {
  type AgentName,
  type AgentView,
  type LeasedAddress,
  type Placement,
  type Remark,
  type World,
  compareText,
} from "@fairlead/model";

import { agentsWith } from "./found-lanes.ts";
import type { PoolView } from "./pools.ts";
import { placeOnHost } from "./seats.ts";

/** What is known of agents. */
export interface HostsKnown {
  readonly world: World;
  /** Those that an operator gave up. */
  readonly forgotten: ReadonlySet<AgentName>;
}

/** The place of a row of a pool whose mode is not vrrp. */
export function hostFor(
  { address, pool }: LeasedAddress,
  view: PoolView,
  { world, forgotten }: HostsKnown,
): Placement | Remark {
  const agents = [...world.agents.values()].filter(({ name }) => !forgotten.has(name));
  // In mode host an address is one agent's own from the start, or nobody's.
  const isShared = view.pool.mode === "link";
  const among = (some: readonly AgentView[]): ReturnType<typeof placeOnHost> =>
    placeOnHost(world, some, address, view);
  // What a lost store knew agents know: on another one two would have it.
  const found = isShared ? (among(agentsWith(agents, address)) ?? among(agents)) : undefined;
  if (found !== undefined) return { kind: "host", ...found };
  if (agents.length === 0) {
    return { reason: "NoAgents", detail: `no agent is there to hold ${address}` };
  }
  const able = agents.filter((agent) => agent.hello.capabilities.includes("host-addresses"));
  if (able.length === 0) {
    const names = agents.map(({ name }) => name).sort(compareText);
    const detail = `pool ${pool} has mode ${view.pool.mode}, which ${names.join(", ")} cannot do`;
    return { reason: "ModeUnavailable", detail };
  }
  const detail = `no agent that pool ${pool} allows has a device for ${address}`;
  return { reason: "NoSegment", detail };
}
