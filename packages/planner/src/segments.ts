// Segments: layer-2 networks, seen as links of agents that share a subnet. Given agents' links,
// says who is where. Links that share any network are one segment, so that IPv4 and IPv6 VIPs of
// one wire ride in the same lanes and router ids are unique on the wire.

import {
  type Address,
  type AddressPool,
  type AgentName,
  type AgentView,
  type DeviceName,
  type Family,
  type Lane,
  type Link,
  type Prefix,
  type Segment,
  addressValue,
  compareAddress,
  compareNumber,
  compareText,
  familyBits,
  familyOf,
  networkOf,
  networkText,
  scopeOf,
} from "@fairlead/model";

import { holds } from "./pools.ts";

/** One network of a segment. */
export interface Network {
  /** Canonical CIDR text. */
  readonly text: string;
  readonly length: number;
  readonly family: Family;
  readonly first: bigint;
  readonly last: bigint;
}

/** One layer-2 network. */
export interface SegmentView {
  /** What new lanes call it: a network that its lanes already name, else its lowest. */
  readonly name: Segment;
  readonly networks: readonly Network[];
  /** By agent, the links it has here: primary first, then by name. Never empty. */
  readonly links: ReadonlyMap<AgentName, readonly Link[]>;
}

/** All segments that agents' links show, and who is asked for them. */
export interface SegmentMap {
  readonly all: readonly SegmentView[];
  /** The segment that has this network. */
  readonly byNetwork: ReadonlyMap<string, SegmentView>;
}

/** Finds the segments. Agents that an operator declared gone are nowhere. */
export function findSegments(agents: readonly AgentView[], lanes: Iterable<Lane>): SegmentMap {
  const groups = groupNetworks(agents);
  const named = new Set(Array.from(lanes, (lane) => lane.segment));
  const byNetwork = new Map<string, SegmentView>();
  const all = groups.map((group) => {
    const view = viewOf(group, agents, named);
    for (const network of view.networks) byNetwork.set(network.text, view);
    return view;
  });
  return { all: all.sort((a, b) => compareText(a.name, b.name)), byNetwork };
}

/** Whether a lane is one of the segment's, by whichever of its networks it is named. */
export function isInSegment(segment: SegmentView): (lane: Pick<Lane, "segment">) => boolean {
  const texts = new Set([segment.name, ...segment.networks.map((network) => network.text)]);
  return (lane) => texts.has(lane.segment);
}

/**
 * The segment of an address: whose network holds it, the longest first; else the segment of the
 * pool's own device; else the one that agents call primary, when they agree on one.
 */
export function segmentOf(
  map: SegmentMap,
  address: Address,
  pool: AddressPool | undefined,
): SegmentView | undefined {
  const device = pool?.link;
  const open = map.all.filter((segment) => hasUpLink(segment, (link) => isOn(link, device)));
  const family = familyOf(address);
  const value = addressValue(address);
  let best: { readonly length: number; readonly segment: SegmentView } | undefined;
  for (const segment of open) {
    for (const network of segment.networks) {
      if (!holds(network, family, value)) continue;
      if (best === undefined || network.length > best.length) {
        best = { length: network.length, segment };
      }
    }
  }
  if (best !== undefined) return best.segment;
  const fallback =
    device === undefined ? open.filter((one) => hasUpLink(one, (link) => link.primary)) : open;
  return fallback.length === 1 ? fallback[0] : undefined;
}

/** The link by which an agent is in the segment, on the pool's device when it names one. */
export function linkIn(
  segment: SegmentView,
  agent: AgentName,
  device: DeviceName | undefined,
): Link | undefined {
  const links = segment.links.get(agent)?.filter((link) => isOn(link, device)) ?? [];
  return links.find((link) => link.up) ?? links[0];
}

/** The addresses of a link that can be spoken from: unicast ones, lowest first. */
export function ownAddresses(link: Link): readonly Address[] {
  return link.prefixes
    .map((prefix) => prefix.address)
    .filter((address) => scopeOf(address) === "unicast")
    .sort(compareAddress);
}

/** The prefixes that make a network: not of one host, not link-local, not loopback. */
export function networkPrefixes(link: Link): readonly Prefix[] {
  return link.prefixes.filter(
    ({ address, length }) =>
      scopeOf(address) === "unicast" && length > 0 && length < familyBits(familyOf(address)),
  );
}

function isOn(link: Link, device: DeviceName | undefined): boolean {
  return device === undefined || link.name === device;
}

function hasUpLink(segment: SegmentView, test: (link: Link) => boolean): boolean {
  for (const links of segment.links.values()) {
    if (links.some((link) => link.up && test(link))) return true;
  }
  return false;
}

/** Networks that some link has together, transitively. */
function groupNetworks(agents: readonly AgentView[]): readonly (readonly Network[])[] {
  let groups: Map<string, Network>[] = [];
  for (const agent of agents) {
    for (const link of agent.hello.links) {
      const joined = new Map(networkPrefixes(link).map((prefix) => networkEntry(prefix)));
      if (joined.size === 0) continue;
      const others: Map<string, Network>[] = [];
      for (const group of groups) {
        if (![...joined.keys()].some((text) => group.has(text))) {
          others.push(group);
          continue;
        }
        for (const [text, network] of group) joined.set(text, network);
      }
      groups = [...others, joined];
    }
  }
  return groups.map((group) => [...group.values()].sort(compareNetwork));
}

function networkEntry(prefix: Prefix): [string, Network] {
  const text = networkText(prefix);
  const { family, first, last } = networkOf(prefix);
  const ends = { first: addressValue(first), last: addressValue(last) };
  return [text, { text, length: prefix.length, family, ...ends }];
}

/** IPv4 first, then by number, the wider one first. */
function compareNetwork(a: Network, b: Network): number {
  if (a.family !== b.family) return a.family === "ipv4" ? -1 : 1;
  if (a.first !== b.first) return a.first < b.first ? -1 : 1;
  return compareNumber(a.length, b.length);
}

function viewOf(
  networks: readonly Network[],
  agents: readonly AgentView[],
  named: ReadonlySet<Segment>,
): SegmentView {
  const texts = new Set(networks.map((network) => network.text));
  const links = new Map<AgentName, readonly Link[]>();
  for (const agent of agents) {
    const own = agent.hello.links.filter((link) =>
      networkPrefixes(link).some((prefix) => texts.has(networkText(prefix))),
    );
    if (own.length > 0) links.set(agent.name, own.toSorted(compareLink));
  }
  const known = networks.find((network) => named.has(network.text));
  const name = known?.text ?? networks[0]?.text ?? "";
  return { name, networks, links };
}

function compareLink(a: Link, b: Link): number {
  if (a.primary !== b.primary) return a.primary ? -1 : 1;
  return compareText(a.name, b.name);
}
