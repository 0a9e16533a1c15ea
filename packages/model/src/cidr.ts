// Ranges of addresses (a CIDR, or first-last) and prefixes of links (an address with its length).
// Given text from an edge; says in words what is wrong with it. Never expands a range.

import {
  type Address,
  type Family,
  addressFromValue,
  addressValue,
  familyBits,
  familyOf,
  parseAddress,
} from "./address.ts";

/** An inclusive range of addresses of one family; `first` is never above `last`. */
export interface AddressRange {
  readonly family: Family;
  readonly first: Address;
  readonly last: Address;
}

/** An address of a link with the length of its network: 192.0.2.11/24. */
export interface Prefix {
  readonly address: Address;
  /** 0 to 32 or 128. */
  readonly length: number;
}

/** A parsed value, or what is wrong with the text: lower case, without the text itself. */
export type Parsed<T> =
  | { readonly kind: "ok"; readonly value: T }
  | { readonly kind: "bad"; readonly problem: string };

/**
 * Reads `a.b.c.d/len`, `first-last` or one address, of either family. A CIDR with host bits set
 * is refused: it is more often a mistake in the length than a wish.
 */
export function parseRange(text: string): Parsed<AddressRange> {
  const trimmed = text.trim();
  if (trimmed.includes("/")) return parseCidr(trimmed);
  const parts = trimmed.split("-");
  if (parts.length > 2) return bad("a range has one dash");
  const first = parseAddress((parts[0] ?? "").trim());
  const last = parseAddress((parts[1] ?? parts[0] ?? "").trim());
  if (first === undefined || last === undefined) return bad("not an address, a-b or CIDR");
  if (familyOf(first) !== familyOf(last)) return bad("both ends must be of one family");
  if (addressValue(first) > addressValue(last)) return bad("the first address is above the last");
  return { kind: "ok", value: { family: familyOf(first), first, last } };
}

/** Reads `address/length` as a link's own prefix; host bits are what is wanted here. */
export function parsePrefix(text: string): Parsed<Prefix> {
  const slash = text.indexOf("/");
  const address = slash < 0 ? undefined : parseAddress(text.slice(0, slash));
  if (address === undefined) return bad("not an address with a prefix length");
  const lengthText = text.slice(slash + 1);
  const length = /^(0|[1-9][0-9]{0,2})$/.test(lengthText) ? Number(lengthText) : -1;
  if (length < 0 || length > familyBits(familyOf(address))) return bad("bad prefix length");
  return { kind: "ok", value: { address, length } };
}

/** All addresses of the network that a prefix lies in, first and last included. */
export function networkOf(prefix: Prefix): AddressRange {
  const family = familyOf(prefix.address);
  const hostBits = BigInt(familyBits(family) - prefix.length);
  const first = (addressValue(prefix.address) >> hostBits) << hostBits;
  return {
    family,
    first: addressFromValue(family, first),
    last: addressFromValue(family, first + (1n << hostBits) - 1n),
  };
}

/** The network of a prefix as canonical text, `192.0.2.0/24`: the name of a segment. */
export function networkText(prefix: Prefix): string {
  return `${networkOf(prefix).first}/${prefix.length}`;
}

/** Whether `address` lies in the range. */
export function rangeContains(range: AddressRange, address: Address): boolean {
  if (familyOf(address) !== range.family) return false;
  const value = addressValue(address);
  return value >= addressValue(range.first) && value <= addressValue(range.last);
}

/** Whether the two ranges share an address. */
export function rangesOverlap(a: AddressRange, b: AddressRange): boolean {
  return (
    a.family === b.family &&
    addressValue(a.first) <= addressValue(b.last) &&
    addressValue(b.first) <= addressValue(a.last)
  );
}

/** How many addresses the range holds, at least 1. */
export function rangeSize(range: AddressRange): bigint {
  return addressValue(range.last) - addressValue(range.first) + 1n;
}

/** The range as people write it: one address, or first-last. */
export function rangeText(range: AddressRange): string {
  return range.first === range.last ? range.first : `${range.first}-${range.last}`;
}

function parseCidr(text: string): Parsed<AddressRange> {
  const prefix = parsePrefix(text);
  if (prefix.kind === "bad") return prefix;
  const network = networkOf(prefix.value);
  if (network.first !== prefix.value.address) {
    return bad(`host bits are set; the network is ${network.first}/${prefix.value.length}`);
  }
  return { kind: "ok", value: network };
}

function bad(problem: string): { readonly kind: "bad"; readonly problem: string } {
  return { kind: "bad", problem };
}
