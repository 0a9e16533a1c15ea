// Pools as planning uses them: checked against each other, in the order they are tried, with
// their ranges as numbers. Of two pools that share an address the newer one is refused whole:
// half a pool would hide the mistake. Never expands a range: an IPv6 one has 2^64 addresses.

import {
  type Address,
  type AddressPool,
  type Family,
  type Finding,
  type PoolName,
  addressValue,
  compareBy,
  compareText,
  familyOf,
  rangeText,
  rangesOverlap,
  scopeOf,
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
  /** In the order in which its ranges name them first. */
  readonly families: readonly Family[];
  /** In the order written. */
  readonly ranges: readonly NumberRange[];
  readonly reserved: readonly NumberRange[];
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
  /** The pool whose ranges hold the address. */
  readonly poolOf: (address: Address) => PoolView | undefined;
}

/** Judges all pools. The order in which they are given does not matter. */
export function checkPools(pools: readonly AddressPool[]): PoolBook {
  const byName = new Map<PoolName, PoolView>();
  const refused = new Map<PoolName, Finding>();
  const findings: Finding[] = [];
  for (const pool of pools.toSorted(compareSeniority)) {
    const finding = findFault(pool, byName);
    if (finding === undefined) {
      byName.set(pool.name, viewOf(pool));
    } else {
      findings.push(finding);
      if (!byName.has(pool.name)) refused.set(pool.name, finding);
    }
  }
  const usable = [...byName.values()].sort(comparePriority);
  return { usable, byName, refused, findings, poolOf: createLookup(usable) };
}

/** Why an address of the pool's ranges is never given; undefined when it may be. */
export function withheld(view: PoolView, address: Address): "reserved" | "buggy" | undefined {
  const value = addressValue(address);
  const family = familyOf(address);
  if (view.reserved.some((range) => holds(range, family, value))) return "reserved";
  return view.pool.avoidBuggyIPs && isBuggy(family, value) ? "buggy" : undefined;
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

const compareSeniority = compareBy<AddressPool>(
  (a, b) => (a.createdAtMs ?? Number.MAX_SAFE_INTEGER) - (b.createdAtMs ?? Number.MAX_SAFE_INTEGER),
  (a, b) => compareText(a.origin, b.origin),
  (a, b) => compareText(a.name, b.name),
);

const comparePriority = compareBy<PoolView>(
  (a, b) => b.pool.priority - a.pool.priority,
  (a, b) => compareText(a.pool.name, b.pool.name),
);

function findFault(
  pool: AddressPool,
  accepted: ReadonlyMap<PoolName, PoolView>,
): Finding | undefined {
  const about = { subject: "pool", name: pool.name } as const;
  if (accepted.has(pool.name)) {
    const detail = "an older pool has this name; it stays in force";
    return { ...about, reason: "DuplicateObject", detail };
  }
  for (const range of pool.ranges) {
    const scope = [scopeOf(range.first), scopeOf(range.last)].find((end) => end !== "unicast");
    if (scope !== undefined) {
      const detail = `${rangeText(range)} holds ${scope} addresses, which no VIP can be`;
      return { ...about, reason: "BadPoolRange", detail };
    }
    for (const other of accepted.values()) {
      const shared = other.pool.ranges.find((theirs) => rangesOverlap(range, theirs));
      if (shared === undefined) continue;
      const detail =
        `${rangeText(range)} overlaps with ${rangeText(shared)} ` + `of pool ${other.pool.name}`;
      return { ...about, reason: "PoolOverlap", detail };
    }
  }
  return undefined;
}

function viewOf(pool: AddressPool): PoolView {
  const numbers = (range: AddressPool["ranges"][number]): NumberRange => ({
    family: range.family,
    first: addressValue(range.first),
    last: addressValue(range.last),
  });
  return {
    pool,
    families: [...new Set(pool.ranges.map((range) => range.family))],
    ranges: pool.ranges.map(numbers),
    reserved: pool.reserved.map(numbers),
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
