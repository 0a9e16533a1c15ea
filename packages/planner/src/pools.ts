// Pools as planning uses them: checked against each other, in the order they are tried, with
// their ranges as numbers. Of two pools that share an address the newer one is refused whole:
// half a pool would hide the mistake. Never expands a range: an IPv6 one has 2^64 addresses.

import {
  type Address,
  type AddressPool,
  type Family,
  type Finding,
  type PoolName,
  type Remark,
  addressValue,
  compareBy,
  compareText,
  familyOf,
  rangeText,
  rangesOverlap,
  scopeOfRange,
} from "@fairlead/model";

/** A range as numbers, both ends included. */
export interface NumberRange {
  readonly family: Family;
  readonly first: bigint;
  readonly last: bigint;
}

/** A pool that is in use. */
export interface PoolView {
  readonly pool: AddressPool;
  /** In the order in which its ranges name them first; of an external pool as it says. */
  readonly families: readonly Family[];
  /** In the order written. */
  readonly ranges: readonly NumberRange[];
  readonly reserved: readonly NumberRange[];
  /** Hosts' own addresses, where there is no pool: shared by port, by all and without a key. */
  readonly isOwn: boolean;
}

/** All pools, judged. */
export interface PoolBook {
  /** By priority, highest first, then by name. */
  readonly usable: readonly PoolView[];
  readonly byName: ReadonlyMap<PoolName, PoolView>;
  /** Why each of the other pools is not used. */
  readonly refused: ReadonlyMap<PoolName, Finding>;
  /** Sorted by pool. */
  readonly findings: readonly Finding[];
  /** Pools that overlap and are of one age: whether each is in use decided between them. */
  readonly ties: ReadonlyMap<PoolName, boolean>;
  /** Whether there is no pool, and hosts' own addresses stand for one. */
  readonly isOwn: boolean;
  /** The pool whose ranges hold the address. */
  readonly poolOf: (address: Address) => PoolView | undefined;
}

/** Whether addresses of the pool are leased. */
export type IsInUse = (pool: PoolName) => boolean;

/**
 * Judges all pools. The order in which they are given does not matter.
 * @param isOwn whether they stand for hosts' own addresses. Default: no.
 */
export function checkPools(
  pools: readonly AddressPool[],
  isInUse: IsInUse = () => false,
  isOwn = false,
): PoolBook {
  const byName = new Map<PoolName, PoolView>();
  const refused = new Map<PoolName, Finding>();
  const findings: Finding[] = [];
  const ties = new Map<PoolName, boolean>();
  for (const pool of pools.toSorted(seniority(isInUse))) {
    const fault = findFault(pool, byName);
    if (fault === undefined) {
      byName.set(pool.name, viewOf(pool, isOwn));
      continue;
    }
    const { finding, rival } = fault;
    findings.push(finding);
    if (!byName.has(pool.name)) refused.set(pool.name, finding);
    if (rival === undefined || compareTimes(pool, rival) !== 0) continue;
    for (const { name } of [pool, rival]) ties.set(name, isInUse(name));
  }
  const usable = [...byName.values()].sort(comparePriority);
  return { usable, byName, refused, findings, ties, isOwn, poolOf: createLookup(usable) };
}

/** The older of two pools first; of one age, by where they stand and then by name. */
export function compareSeniority(a: AddressPool, b: AddressPool): number {
  return compareTimes(a, b) || comparePlaces(a, b);
}

/** Between two of one age, the one that gave addresses which are in use is the older. */
function seniority(isInUse: IsInUse): (a: AddressPool, b: AddressPool) => number {
  return (a, b) =>
    compareTimes(a, b) || Number(isInUse(b.name)) - Number(isInUse(a.name)) || comparePlaces(a, b);
}

/** Why an address of the pool's ranges is never given; undefined when it may be. */
export function withheld(view: PoolView, address: Address): "reserved" | "buggy" | undefined {
  const value = addressValue(address);
  const family = familyOf(address);
  if (view.reserved.some((range) => holds(range, family, value))) return "reserved";
  return view.pool.avoidBuggyIPs && isBuggy(family, value) ? "buggy" : undefined;
}

/** Why the address is never given beside what floats: it is one host's own, and has to be on it. */
export function whyAlone(book: PoolBook, address: Address): Remark | undefined {
  const pool = book.poolOf(address)?.pool;
  if (pool?.mode !== "host") return undefined;
  const detail = `${address} is one host's own in pool ${pool.name}, and others are asked for first`;
  return { reason: "ConflictingWishes", detail };
}

/** Whether the pool is in use, and gives the address to whoever may have it. */
export function isGivenBy(book: PoolBook, name: PoolName, address: Address): boolean {
  const view = book.poolOf(address);
  return view?.pool.name === name && withheld(view, address) === undefined;
}

/**
 * Tells addresses that the pool gives by itself, whether it is in use or not: those of its ranges
 * that it does not withhold. Of an external pool its ranges are what its IPAM gave it.
 */
export function givenBy(pool: AddressPool): (address: Address) => boolean {
  const view = viewOf(pool, false);
  return (address) => {
    const family = familyOf(address);
    const value = addressValue(address);
    const isInside = view.ranges.some((range) => holds(range, family, value));
    return isInside && withheld(view, address) === undefined;
  };
}

/** Whether old clients refuse it: an IPv4 address that ends in .0 or .255. */
export function isBuggy(family: Family, value: bigint): boolean {
  const low = value & 255n;
  return family === "ipv4" && (low === 0n || low === 255n);
}

/** Whether the range holds the number. */
export function holds(range: NumberRange, family: Family, value: bigint): boolean {
  return range.family === family && value >= range.first && value <= range.last;
}

const compareTimes = compareBy<AddressPool>(
  (a, b) => (a.createdAtMs ?? Number.MAX_SAFE_INTEGER) - (b.createdAtMs ?? Number.MAX_SAFE_INTEGER),
);

const comparePlaces = compareBy<AddressPool>(
  (a, b) => compareText(a.origin, b.origin),
  (a, b) => compareText(a.name, b.name),
);

const comparePriority = compareBy<PoolView>(
  (a, b) => b.pool.priority - a.pool.priority,
  (a, b) => compareText(a.pool.name, b.pool.name),
);

/** Why a pool is not used. `rival`: it would be, were it older than that one. */
interface Fault {
  readonly finding: Finding;
  readonly rival?: AddressPool;
}

function findFault(
  pool: AddressPool,
  accepted: ReadonlyMap<PoolName, PoolView>,
): Fault | undefined {
  const about = { subject: "pool", name: pool.name } as const;
  if (accepted.has(pool.name)) {
    const detail = "an older pool has this name; it stays in force";
    return { finding: { ...about, reason: "DuplicateObject", detail } };
  }
  for (const range of pool.ranges) {
    const scope = scopeOfRange(range);
    if (scope !== "unicast") {
      const detail = `${rangeText(range)} holds ${scope} addresses, which no VIP can be`;
      return { finding: { ...about, reason: "BadPoolRange", detail } };
    }
    for (const other of accepted.values()) {
      const shared = other.pool.ranges.find((theirs) => rangesOverlap(range, theirs));
      if (shared === undefined) continue;
      const detail =
        `${rangeText(range)} overlaps with ${rangeText(shared)} ` + `of pool ${other.pool.name}`;
      return { finding: { ...about, reason: "PoolOverlap", detail }, rival: other.pool };
    }
  }
  return undefined;
}

function viewOf(pool: AddressPool, isOwn: boolean): PoolView {
  const numbers = (range: AddressPool["ranges"][number]): NumberRange => ({
    family: range.family,
    first: addressValue(range.first),
    last: addressValue(range.last),
  });
  return {
    pool,
    families: pool.external?.families ?? [...new Set(pool.ranges.map((range) => range.family))],
    ranges: pool.ranges.map(numbers),
    reserved: pool.reserved.map(numbers),
    isOwn,
  };
}

/** Remembers answers: the same thousands of addresses are asked for in every plan. */
function createLookup(views: readonly PoolView[]): PoolBook["poolOf"] {
  const known = new Map<Address, PoolView | undefined>();
  return (address) => {
    if (known.has(address)) return known.get(address);
    const family = familyOf(address);
    const value = addressValue(address);
    const found = views.find((view) => view.ranges.some((range) => holds(range, family, value)));
    if (known.size >= LOOKUPS_MAX) known.clear();
    known.set(address, found);
    return found;
  };
}

/** Answers remembered at most; more than an install has addresses in use. */
const LOOKUPS_MAX = 200_000;
