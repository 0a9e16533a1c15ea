// A lane: one VRRP instance on one segment that carries many VIPs with the same ordered agents.
// Types and bounds alone; the planner decides who is in one, and in which order.

import type { Address } from "./address.ts";
import type { AgentName } from "./name.ts";

declare const laneBrand: unique symbol;

/** `<segment>#<router id>`: 192.0.2.0/24#51. */
export type LaneId = string & { readonly [laneBrand]: true };

/** The network that agents' links share, as canonical CIDR text: 192.0.2.0/24. */
export type Segment = string;

/** Most lanes that one segment may have. */
export const LANES_MAX = 200;
/** Most lanes of one segment that are made for one agent to master; it may inherit more. */
export const LANES_PER_HOLDER_MAX = 8;
/** VIPs of one lane stay below this: adverts are late beyond it (measured). */
export const VIPS_PER_LANE_MAX = 1000;
/** The holder and its two successors. */
export const LANE_AGENTS_MAX = 3;
/** A host that hears no adverts for the time of so many misses whoever sends them. */
export const ADVERTS_MISSED = 4;
/** VRRP router ids are 1 to 255 (RFC 5798 section 5.2.3). */
export const ROUTER_ID_MAX = 255;

/** An agent of a lane with the address it speaks VRRP from. */
export interface LanePeer {
  readonly agent: AgentName;
  readonly address: Address;
}

/** An agent that is to give a lane up, because another one holds it too. */
export interface LaneYield {
  readonly agent: AgentName;
  /** Epoch ms since when it is told so. */
  readonly sinceMs: number;
}

/** A lane as stored. `order` has 1 to 3 agents, none twice. */
export interface Lane {
  readonly id: LaneId;
  readonly segment: Segment;
  /** 1 to 255, unique in the segment. */
  readonly routerId: number;
  /**
   * Who holds it, or is to hold it by a move, first; then the successors, drained agents last. A
   * new lane has its preferred holder first.
   */
  readonly order: readonly AgentName[];
  /**
   * Where each agent of the order was last known to speak from, in that order and of one family:
   * a controller that was started anew tells nobody to forget a peer that has not connected yet.
   * Agents that were never seen in the segment are not in it.
   */
  readonly peers?: readonly LanePeer[];
  /** Who was last reported to hold it. */
  readonly holder?: AgentName;
  /** Agents of the order that are to give it up, in that order. Absent: none is. */
  readonly yielding?: readonly LaneYield[];
  /** False until some agent was reported to hold it: a new lane is rendered with preemption. */
  readonly settled: boolean;
}

/** Makes a lane's id. */
export function laneId(segment: Segment, routerId: number): LaneId {
  return `${segment}#${routerId}` as LaneId;
}
