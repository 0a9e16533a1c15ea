// Seats: which agents may hold addresses of a pool by themselves, without VRRP, and on which
// device. Given agents and pools of the modes host and link. A seat does not go with its agent's
// stream: what an agent holds is its own until an operator says that it is gone.

import {
  type Address,
  type AgentName,
  type AgentView,
  type DeviceName,
  type Link,
  type PoolName,
  type World,
  addressValue,
  compareText,
  familyOf,
  hashPair,
  hashText,
  networkOf,
} from "@fairlead/model";

import { isAllowedBy, prefer, ruleOf } from "./candidates.ts";
import { type NumberRange, type PoolBook, type PoolView, holds } from "./pools.ts";
import { networkPrefixes, ownAddresses } from "./segments.ts";
import { isDrained } from "./will.ts";

/** An agent's own part of a pool of mode host. */
export interface Seat {
  readonly agent: AgentName;
  readonly link: DeviceName;
  /** The parts of the pool's ranges that lie in networks of the device; never empty. */
  readonly ranges: readonly NumberRange[];
}

/** By pool of mode host, its seats sorted by agent. */
export type Seats = ReadonlyMap<PoolName, readonly Seat[]>;

/** Finds the seats of all pools of mode host; the very same as before where nothing changed. */
export function findSeats(
  agents: readonly AgentView[],
  book: PoolBook,
  before: Seats | undefined,
): Seats {
  const seats = new Map<PoolName, readonly Seat[]>();
  for (const view of book.usable) {
    if (view.pool.mode !== "host") continue;
    const found = agents
      .filter((agent) => mayHold(agent, view))
      .flatMap((agent) => seatOf(agent, view) ?? [])
      .sort((a, b) => compareText(a.agent, b.agent));
    const known = before?.get(view.pool.name);
    seats.set(view.pool.name, known !== undefined && isSameSeats(known, found) ? known : found);
  }
  const isSame =
    before?.size === seats.size && [...seats].every(([pool, list]) => before.get(pool) === list);
  return isSame ? before : seats;
}

/** Whether the address lies in the agent's own part. */
export function isInSeat({ ranges }: Seat, address: Address): boolean {
  const family = familyOf(address);
  const value = addressValue(address);
  return ranges.some((range) => holds(range, family, value));
}

/** Where an address is added to a device, and with how long a prefix. */
export interface HostPlace {
  readonly agent: AgentName;
  readonly link: DeviceName;
}

/**
 * The agent and device for an address of mode link: who has the address already; else, of those
 * whose device is in its network, or that have the pool's or a primary device, always the same one.
 */
export function placeOnHost(
  world: World,
  agents: readonly AgentView[],
  address: Address,
  view: PoolView,
): HostPlace | undefined {
  const places = agents
    .filter((agent) => mayHold(agent, view))
    .flatMap((agent) => hostPlace(agent, address, view) ?? []);
  const best = Math.max(...places.map(({ fit }) => fit));
  const fitting = places.filter(({ fit }) => fit === best);
  const staying = prefer(fitting, ({ agent }) => !isDrained(world, agent));
  const near = prefer(staying, ({ agent }) => world.agents.get(agent)?.connected === true);
  const seed = hashText(address);
  const score = ({ agent }: HostPlace): number => hashPair(seed, hashText(agent));
  const [place] = near.toSorted((a, b) => score(b) - score(a) || compareText(a.agent, b.agent));
  return place === undefined ? undefined : { agent: place.agent, link: place.link };
}

/** Length of the longest network of the device that the address lies in; undefined: of none. */
export function lengthOn(link: Link | undefined, address: Address): number | undefined {
  const lengths = link === undefined ? [] : networksOf(link, address).map(({ length }) => length);
  return lengths.length === 0 ? undefined : Math.max(...lengths);
}

/** Whether the pool lets the agent hold its addresses, and the agent's build can. */
function mayHold({ name, hello }: AgentView, { pool }: PoolView): boolean {
  return hello.capabilities.includes("host-addresses") && isAllowedBy(ruleOf(pool), name);
}

interface FittingPlace extends HostPlace {
  /** How well it fits; more is better. */
  readonly fit: number;
}

const FIT_OWN = 1000;
const FIT_ANY = 0;

/** A network fits by its length, which is at least 1. */
function hostPlace(
  { name: agent, hello }: AgentView,
  address: Address,
  { pool }: PoolView,
): FittingPlace | undefined {
  const links = linksFor(hello.links, pool.link);
  const places = links.flatMap((link): FittingPlace[] => {
    const place = { agent, link: link.name };
    if (ownAddresses(link).includes(address)) return [{ ...place, fit: FIT_OWN }];
    const length = link.up ? lengthOn(link, address) : undefined;
    if (length !== undefined) return [{ ...place, fit: length }];
    const isNamed = link.primary || pool.link !== undefined;
    return isNamed && link.up ? [{ ...place, fit: FIT_ANY }] : [];
  });
  return places.reduce<FittingPlace | undefined>(
    (best, place) => (best === undefined || place.fit > best.fit ? place : best),
    undefined,
  );
}

function seatOf({ name: agent, hello }: AgentView, view: PoolView): Seat | undefined {
  for (const link of linksFor(hello.links, view.pool.link)) {
    const ranges = view.ranges.flatMap((range) => sharedRanges(link, range));
    if (ranges.length > 0) return { agent, link: link.name, ranges };
  }
  return undefined;
}

/** The links that may be taken, the primary one first. */
function linksFor(links: readonly Link[], device: DeviceName | undefined): readonly Link[] {
  return links
    .filter((link) => device === undefined || link.name === device)
    .sort((a, b) => Number(b.primary) - Number(a.primary) || compareText(a.name, b.name));
}

function networksOf(link: Link, address: Address): ReturnType<typeof networkPrefixes> {
  const family = familyOf(address);
  const value = addressValue(address);
  return networkPrefixes(link).filter((prefix) => holds(rangeOf(prefix), family, value));
}

function rangeOf(prefix: ReturnType<typeof networkPrefixes>[number]): NumberRange {
  const { family, first, last } = networkOf(prefix);
  return { family, first: addressValue(first), last: addressValue(last) };
}

function sharedRanges(link: Link, range: NumberRange): readonly NumberRange[] {
  const shared: NumberRange[] = [];
  for (const network of networkPrefixes(link).map(rangeOf)) {
    if (network.family !== range.family) continue;
    const first = network.first > range.first ? network.first : range.first;
    const last = network.last < range.last ? network.last : range.last;
    const isNew = !shared.some((one) => one.first === first && one.last === last);
    if (first <= last && isNew) shared.push({ family: range.family, first, last });
  }
  return shared;
}

function isSameSeats(a: readonly Seat[], b: readonly Seat[]): boolean {
  return a.length === b.length && a.every((seat, i) => seatText(seat) === seatText(b[i]));
}

function seatText(seat: Seat | undefined): string {
  if (seat === undefined) return "";
  const ranges = seat.ranges.map(({ family, first, last }) => `${family} ${first} ${last}`);
  return `${seat.agent} ${seat.link} ${ranges.join(" ")}`;
}
