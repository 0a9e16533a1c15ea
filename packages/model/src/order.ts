// The only comparators of the project. Same input in any order must give the same plan, so
// everything that is listed, hashed or printed is ordered by one of these.

import { type Address, addressValue, familyOf } from "./address.ts";

/** Compares by code units: the same on every machine, whatever its locale. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Compares numbers, smallest first. */
export function compareNumber(a: number, b: number): number {
  return a - b;
}

/** IPv4 before IPv6, then by number. */
export function compareAddress(a: Address, b: Address): number {
  if (a === b) return 0;
  const familyA = familyOf(a);
  const familyB = familyOf(b);
  if (familyA !== familyB) return familyA === "ipv4" ? -1 : 1;
  if (familyA === "ipv4") return ipv4Number(a) - ipv4Number(b);
  const difference = addressValue(a) - addressValue(b);
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

/**
 * Sorted as `compareAddress` does, with each address read once and not at each comparison: lists
 * may have ten thousand.
 */
export function sortByAddress<T>(
  items: readonly T[],
  addressOf: (item: T) => Address,
): readonly T[] {
  const ipv4: { readonly item: T; readonly value: number }[] = [];
  const ipv6: { readonly item: T; readonly value: bigint }[] = [];
  for (const item of items) {
    const address = addressOf(item);
    if (familyOf(address) === "ipv4") ipv4.push({ item, value: ipv4Number(address) });
    else ipv6.push({ item, value: addressValue(address) });
  }
  ipv4.sort((a, b) => a.value - b.value);
  ipv6.sort((a, b) => (a.value < b.value ? -1 : a.value > b.value ? 1 : 0));
  return [...ipv4, ...ipv6].map(({ item }) => item);
}

/** Compares by the given keys in turn. */
export function compareBy<T>(...keys: ((a: T, b: T) => number)[]): (a: T, b: T) => number {
  return (a, b) => {
    for (const key of keys) {
      const result = key(a, b);
      if (result !== 0) return result;
    }
    return 0;
  };
}

/** Oldest first, then by id: who comes first keeps what both want. Absent times count as newest. */
export function compareAge(
  a: { readonly createdAtMs?: number | undefined; readonly id: string },
  b: { readonly createdAtMs?: number | undefined; readonly id: string },
): number {
  const timeA = a.createdAtMs ?? Number.MAX_SAFE_INTEGER;
  const timeB = b.createdAtMs ?? Number.MAX_SAFE_INTEGER;
  return timeA === timeB ? compareText(a.id, b.id) : timeA - timeB;
}

const DOT = 46;
const ZERO = 48;

/** What `addressValue` says of an IPv4 address, ten times faster: sorts ask very often. */
function ipv4Number(address: Address): number {
  let value = 0;
  let octet = 0;
  for (let at = 0; at < address.length; at++) {
    const code = address.charCodeAt(at);
    if (code === DOT) {
      value = value * 256 + octet;
      octet = 0;
    } else {
      octet = octet * 10 + code - ZERO;
    }
  }
  return value * 256 + octet;
}
