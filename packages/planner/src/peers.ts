// Where the agents of a lane speak VRRP from. Given what their links show now and what the lane
// remembers: an agent that has not connected to this controller is a living peer all the same,
// and whoever forgot it would hold its VIPs a second time. No two speak from one address: their
// daemons would refuse the lane, and neither would hear the other.

import {
  type Address,
  type AgentName,
  type Family,
  type Lane,
  type LanePeer,
  type Link,
  type Segment,
  familyOf,
  networkText,
} from "@fairlead/model";

import type { CarrierRule } from "./candidates.ts";
import { type SegmentView, linkIn, ownAddresses } from "./segments.ts";

/** The lane with the peers that are known now; the same object when they are the same. */
export function withPeers(
  lane: Lane,
  segment: SegmentView | undefined,
  rule: CarrierRule | undefined,
): Lane {
  const links = segment === undefined ? NO_LINKS : linksOf(lane.order, segment, rule);
  const peers = findPeers(lane, links);
  const isSame = JSON.stringify(peers) === JSON.stringify(lane.peers ?? []);
  return isSame ? lane : { ...lane, peers };
}

/**
 * Whether an agent may join the lane: it speaks what the others speak to each other, and from an
 * address that none of them does, be it one that has not come yet.
 */
export function canSpeakIn(
  lane: Lane,
  agent: AgentName,
  segment: SegmentView,
  rule: CarrierRule,
): boolean {
  const order = [...lane.order, agent];
  const peers = findPeers({ ...lane, order }, linksOf(order, segment, rule));
  return peers.some((peer) => peer.agent === agent);
}

/**
 * The agents that would speak in a new lane, all in one family: IPv4 when all have it, else the
 * family that most have. Agents without an address of it are left out.
 */
export function speakers(
  links: ReadonlyMap<AgentName, Link>,
  segment: Segment,
): readonly AgentName[] {
  const order = [...links.keys()];
  return findPeers({ order, segment }, links).map(({ agent }) => agent);
}

const NO_LINKS: ReadonlyMap<AgentName, Link> = new Map();

function linksOf(
  agents: readonly AgentName[],
  segment: SegmentView,
  rule: CarrierRule | undefined,
): ReadonlyMap<AgentName, Link> {
  const links = new Map<AgentName, Link>();
  for (const agent of agents) {
    const link = linkIn(segment, agent, rule?.device);
    if (link !== undefined) links.set(agent, link);
  }
  return links;
}

/** The family that they speak stays for as long as all who spoke still can. */
function findPeers(
  lane: Pick<Lane, "order" | "segment" | "peers">,
  links: ReadonlyMap<AgentName, Link>,
): readonly LanePeer[] {
  const ipv4 = peersOf(lane, links, "ipv4");
  const ipv6 = peersOf(lane, links, "ipv6");
  const spoke = lane.peers?.filter(({ agent }) => lane.order.includes(agent)) ?? [];
  const isIpv6 = spoke[0] !== undefined && familyOf(spoke[0].address) === "ipv6";
  const [kept, other] = isIpv6 ? [ipv6, ipv4] : [ipv4, ipv6];
  const canAll = (found: readonly LanePeer[]): boolean =>
    spoke.every((one) => found.some(({ agent }) => agent === one.agent));
  // While agents change the family one after the other, neither speaks where the other listens, and
  // both hold the lane. One that speaks alone is heard by nobody, and changes it if it can.
  const isKept = canAll(kept) && (spoke.length > 1 || !canAll(other));
  if (isKept) return kept;
  return ipv6.length > ipv4.length ? ipv6 : ipv4;
}

function peersOf(
  { order, segment, peers }: Pick<Lane, "order" | "segment" | "peers">,
  links: ReadonlyMap<AgentName, Link>,
  family: Family,
): readonly LanePeer[] {
  const found: LanePeer[] = [];
  for (const agent of order) {
    const link = links.get(agent);
    const last = peers?.find((peer) => peer.agent === agent)?.address;
    const remembered = last !== undefined && familyOf(last) === family ? [last] : [];
    const possible = link === undefined ? remembered : spokenFrom(link, segment, family);
    const isOthers = (address: Address): boolean =>
      [...links].some(([name, other]) => name !== agent && hasAddress(other, address));
    const free = possible.filter((one) => !found.some(({ address }) => address === one));
    const address = free.find((one) => !isOthers(one)) ?? free[0];
    if (address !== undefined) found.push({ agent, address });
  }
  return found;
}

/** The best one first: those in the segment's own network, then by number. */
function spokenFrom(link: Link, segment: Segment, family: Family): readonly Address[] {
  const own = ownAddresses(link).filter((address) => familyOf(address) === family);
  const isInside = (address: Address): boolean =>
    link.prefixes.some((prefix) => prefix.address === address && networkText(prefix) === segment);
  return [...own.filter(isInside), ...own.filter((address) => !isInside(address))];
}

function hasAddress({ prefixes }: Link, address: Address): boolean {
  return prefixes.some((prefix) => prefix.address === address);
}
