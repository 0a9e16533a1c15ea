// What is the same wherever members come from: how they are asked for, their order, and how many
// there may be. Pure. What does not depend on the port is done once for all ports of a Service.

import {
  type Address,
  type Member,
  type MemberState,
  compareNumber,
  sortByAddress,
} from "@fairlead/model";

import { quote } from "./quote.ts";
import type { RemarkList } from "./remarks.ts";
import type { ServicePort } from "./service-object.ts";

/** Most members of one listener: the largest member table of a data path has as many slots. */
const MEMBERS_MAX = 1024;

/** Finds the members of one port. */
export type FindMembers = (port: ServicePort) => readonly Member[];

/** Where a member may be, whatever its port. */
export interface Place {
  readonly address: Address;
  readonly state: MemberState;
  /** Which list of ports it has: an index. */
  readonly ports: number;
}

/** An address with its places: one for each list of ports, mostly one in all. */
export interface SortedPlace extends Place {
  readonly others: readonly Place[];
}

/** How many are in each state. */
interface StateCounts {
  readonly active: number;
  readonly draining: number;
}

/** Places in their order. */
export interface SortedPlaces {
  readonly all: readonly SortedPlace[];
  /** By list of ports. Undefined: some address has several, and counts for each number once. */
  readonly counts: readonly StateCounts[] | undefined;
}

/** A Service port in a detail: its name quoted, else its number. */
export function portWords(port: ServicePort): string {
  return port.name === "" ? `port ${port.port}` : `port ${quote(port.name)}`;
}

/** By address, none twice; an active one wins over the same one draining. */
export function sortPlaces(places: readonly Place[]): SortedPlaces {
  const byAddress = new Map<Address, Place[]>();
  for (const place of places) {
    const same = byAddress.get(place.address);
    if (same === undefined) byAddress.set(place.address, [place]);
    else {
      const at = same.findIndex(({ ports }) => ports === place.ports);
      if (at < 0) same.push(place);
      else if (place.state === "active") same[at] = place;
    }
  }
  const merged = [...byAddress.values()].flatMap(([first, ...others]) =>
    first === undefined ? [] : [{ ...first, others }],
  );
  return { all: sortByAddress(merged, ({ address }) => address), counts: countsOf(merged) };
}

function countsOf(places: readonly SortedPlace[]): readonly StateCounts[] | undefined {
  const counts: { active: number; draining: number }[] = [];
  for (const { ports, state, others } of places) {
    if (others.length > 0) return undefined;
    const of = (counts[ports] ??= { active: 0, draining: 0 });
    of[state] += 1;
  }
  return counts;
}

/** One port of a Service, as places have it. */
export interface PortAtPlaces {
  readonly port: ServicePort;
  /** Its numbers in each list of ports, sorted, none twice. */
  readonly numbers: readonly (readonly number[])[];
  /** Whether this is never a member; default: nothing is. */
  readonly isBarred?: (address: Address, number: number) => boolean;
}

/**
 * Members of one port by address and number, none twice; draining ones go first where there are
 * too many. Cheap for each place, as it is asked once for each of a hundred ports.
 */
export function membersAt(
  { all, counts }: SortedPlaces,
  { port, numbers, isBarred }: PortAtPlaces,
  remarks: RemarkList,
): readonly Member[] {
  const kept: Member[] = [];
  const total = isBarred === undefined ? totalAt(counts, numbers) : undefined;
  let active = 0;
  let draining = 0;
  const add = (address: Address, number: number, state: MemberState): void => {
    if (isBarred?.(address, number) === true) return;
    const count = state === "active" ? ++active : ++draining;
    if (count <= MEMBERS_MAX) kept.push({ address, port: number, weight: 1, state });
  };
  for (const place of all) {
    // Of ten thousand places the first thousand mostly are all that is kept.
    const isAll = total !== undefined && isEnough(active, total.active);
    if (isAll && isEnough(draining, total.draining)) break;
    const { address, state, ports, others } = place;
    if (others.length > 0) {
      for (const each of statesOf([place, ...others], numbers)) add(address, ...each);
    } else for (const number of numbers[ports] ?? []) add(address, number, state);
  }
  ({ active, draining } = total ?? { active, draining });
  const left = active + draining - MEMBERS_MAX;
  if (left <= 0) return kept;
  remarks.remark("BadMember", `${portWords(port)}: ${left} members above ${MEMBERS_MAX} left out`);
  let room = MEMBERS_MAX - active;
  return kept.filter(({ state }) => state === "active" || room-- > 0);
}

/** Members of one port, where that is known without a look at each place. */
function totalAt(
  counts: SortedPlaces["counts"],
  numbers: PortAtPlaces["numbers"],
): StateCounts | undefined {
  const sum = (state: MemberState): number =>
    counts?.reduce((all, of, ports) => all + of[state] * (numbers[ports]?.length ?? 0), 0) ?? 0;
  return counts && { active: sum("active"), draining: sum("draining") };
}

/** Whether as many were found as there are, or as there may be. */
function isEnough(found: number, total: number): boolean {
  return found >= Math.min(total, MEMBERS_MAX);
}

/** The states of one address by number, where it stands in several lists of ports. */
function statesOf(
  same: readonly Place[],
  numbers: readonly (readonly number[])[],
): readonly (readonly [number, MemberState])[] {
  const states = new Map<number, MemberState>();
  for (const { ports, state } of same) {
    for (const number of numbers[ports] ?? []) {
      if (states.get(number) !== "active") states.set(number, state);
    }
  }
  return [...states].toSorted(([a], [b]) => compareNumber(a, b));
}
