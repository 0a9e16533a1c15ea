// How many addresses a pool may give, by arithmetic on its ranges: never by counting through them,
// as an IPv6 range holds more than anybody can count. Pure.

import {
  type AddressPool,
  type AddressRange,
  type Family,
  addressValue,
  familyOf,
} from "@fairlead/model";

/** An inclusive range of numbers. */
interface Span {
  readonly first: bigint;
  readonly last: bigint;
}

/** Addresses of one family that the pool may give: reserved and avoided ones are not counted. */
export function poolSize(pool: AddressPool, family: Family): bigint {
  const reserved = pool.reserved.filter((range) => range.family === family).map(spanOf);
  const spans = pool.ranges
    .filter((range) => range.family === family)
    .flatMap((range) => subtract(spanOf(range), reserved));
  const avoids = pool.avoidBuggyIPs && family === "ipv4";
  return spans.reduce((sum, span) => sum + sizeOf(span) - (avoids ? buggyIn(span) : 0n), 0n);
}

/** Addresses of one family inside the pool's ranges that it reserves. */
export function reservedSize(pool: AddressPool, family: Family): bigint {
  if (pool.reserved.length === 0) return 0n;
  const whole: AddressPool = { ...pool, avoidBuggyIPs: false };
  return poolSize({ ...whole, reserved: [] }, family) - poolSize(whole, family);
}

/** Families that the pool has ranges of, IPv4 first. */
export function poolFamilies(pool: AddressPool): readonly Family[] {
  const families = new Set(pool.ranges.map(({ first }) => familyOf(first)));
  return (["ipv4", "ipv6"] as const).filter((family) => families.has(family));
}

function spanOf(range: AddressRange): Span {
  return { first: addressValue(range.first), last: addressValue(range.last) };
}

function subtract(span: Span, holes: readonly Span[]): readonly Span[] {
  let left: readonly Span[] = [span];
  for (const hole of holes) {
    left = left.flatMap(({ first, last }) => {
      if (hole.last < first || hole.first > last) return [{ first, last }];
      const below = { first, last: hole.first - 1n };
      const above = { first: hole.last + 1n, last };
      return [below, above].filter((part) => part.first <= part.last);
    });
  }
  return left;
}

function sizeOf({ first, last }: Span): bigint {
  return last - first + 1n;
}

/** How many addresses of the span end in .0 or .255. */
function buggyIn(span: Span): bigint {
  return endingIn(span, 0n) + endingIn(span, 255n);
}

function endingIn({ first, last }: Span, octet: bigint): bigint {
  const upTo = (value: bigint): bigint => (value - octet + 256n) / 256n;
  return upTo(last) - (first === 0n ? 0n : upTo(first - 1n));
}
