// The agents of a lane on the wire, as plans and reports have them: with the addresses that they
// speak VRRP from.

import {
  type Address,
  type AgentName,
  LANE_AGENTS_MAX,
  type LanePeer,
  familyOf,
  parseAgentName,
} from "@fairlead/model";
import type * as pb from "@fairlead/proto";

import { addressFromBytes, addressToBytes } from "./address-bytes.ts";
import { type Decoded, complete, decodeAll, refused } from "./decoded.ts";

/** One message for each agent, in their order. */
export function encodeOrder(
  order: readonly LanePeer[],
): { readonly agent: string; readonly address: Uint8Array }[] {
  return order.map(({ agent, address }) => ({ agent, address: addressToBytes(address) }));
}

/** 1 to 3 agents and their addresses, none twice, all of one family: keepalived takes no other. */
export function decodeOrder(order: readonly pb.LanePeer[]): Decoded<readonly LanePeer[]> {
  const peers = decodeAll(order, decodePeer);
  if (peers.kind === "refused") return peers;
  return isOrder(peers.value) ? peers : refused("lane: bad order");
}

function decodePeer(peer: pb.LanePeer): Decoded<LanePeer> {
  return complete("lane peer", {
    agent: parseAgentName(peer.agent),
    address: addressFromBytes(peer.address),
  });
}

function isOrder(order: readonly LanePeer[]): boolean {
  if (order.length === 0 || order.length > LANE_AGENTS_MAX) return false;
  const agents = new Set<AgentName>(order.map((peer) => peer.agent));
  const addresses = new Set<Address>(order.map((peer) => peer.address));
  const families = new Set(Array.from(addresses, familyOf));
  return [agents, addresses].every(({ size }) => size === order.length) && families.size === 1;
}
