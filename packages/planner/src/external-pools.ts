// External pools as planning uses them: with what an IPAM has given them as their ranges. Given the
// pools as declared and the registrations. An address that another pool declares, or that no VIP
// can be, is left out: what an IPAM says takes nothing from anybody. Pure.

import {
  type Address,
  type AddressPool,
  type AddressRange,
  type Family,
  type IpamSights,
  type Registration,
  addressFromValue,
  addressValue,
  familyOf,
  rangeContains,
  scopeOf,
} from "@fairlead/model";

import { keep } from "./alike.ts";

/** What pools are opened with. */
export interface OpenOptions {
  readonly registrations: readonly Registration[];
  readonly sights: IpamSights;
}

/**
 * The pools with the ranges that they have. One that says the same as in `before` is the same
 * object, and all of them are the same list when none is external.
 */
export function openPools(
  pools: readonly AddressPool[],
  options: OpenOptions,
  before: readonly AddressPool[] = [],
): readonly AddressPool[] {
  if (pools.every(({ external }) => external === undefined)) return pools;
  const declared = pools.flatMap(({ ranges }) => ranges);
  const taken = new Set<Address>();
  return pools.map((pool, index) => {
    if (pool.external === undefined) return pool;
    const given = givenTo(pool, options).filter(
      (address) => !taken.has(address) && isUsable(address, declared),
    );
    for (const address of given) taken.add(address);
    return keep(before[index], { ...pool, ranges: merge(given) });
  });
}

/** Addresses that the pool's IPAM has given it, and that nobody wants to give back. */
function givenTo(pool: AddressPool, { registrations, sights }: OpenOptions): readonly Address[] {
  return registrations.flatMap((one) => {
    const isLost = sights.registrations.get(one.uuid)?.kind === "lost";
    if (!isOf(one, pool) || isLost || one.ending === true || one.address === undefined) return [];
    return [one.address];
  });
}

/** Whether the registration is of this pool as it is now: one of another class is not. */
export function isOf(one: Registration, { name, external }: AddressPool): boolean {
  return one.pool === name && one.url === external?.url && one.class === external.class;
}

function isUsable(address: Address, declared: readonly AddressRange[]): boolean {
  if (scopeOf(address) !== "unicast") return false;
  return !declared.some((range) => rangeContains(range, address));
}

/** The fewest ranges that hold these addresses and no other, IPv4 first. */
function merge(addresses: readonly Address[]): readonly AddressRange[] {
  return (["ipv4", "ipv6"] as const).flatMap((family) => mergeFamily(family, addresses));
}

function mergeFamily(family: Family, addresses: readonly Address[]): readonly AddressRange[] {
  const values = addresses.filter((one) => familyOf(one) === family).map(addressValue);
  values.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  const spans: { first: bigint; last: bigint }[] = [];
  for (const value of values) {
    const open = spans.at(-1);
    if (open !== undefined && value - open.last <= 1n) open.last = value;
    else spans.push({ first: value, last: value });
  }
  return spans.map(({ first, last }) => ({
    family,
    first: addressFromValue(family, first),
    last: addressFromValue(family, last),
  }));
}
