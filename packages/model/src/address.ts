// IP addresses as canonical text that compares by equality, and their numbers for arithmetic.
// It is given text from an edge and parses it once. Nothing else may cast to Address.

import { assert } from "./assert.ts";

declare const addressBrand: unique symbol;

/** The two families of addresses. */
export type Family = "ipv4" | "ipv6";

/**
 * One IP address in canonical text (dotted decimal, or RFC 5952 for IPv6), so that equal
 * addresses are equal strings and it may be a map key. Made by `parseAddress` and
 * `addressFromValue` alone.
 */
export type Address = string & { readonly [addressBrand]: true };

const IPV4_MAX = 0xffff_ffffn;
const IPV6_MAX = (1n << 128n) - 1n;
/** ::ffff:0:0/96: an IPv4 address in disguise, which would be a second name for one address. */
const IPV4_MAPPED_PREFIX = 0xffffn;

/** The family of an address. */
export function familyOf(address: Address): Family {
  return address.includes(":") ? "ipv6" : "ipv4";
}

/** Number of bits of an address of this family: 32 or 128. */
export function familyBits(family: Family): 32 | 128 {
  return family === "ipv4" ? 32 : 128;
}

/**
 * Reads one address. Strict: no leading zeros in IPv4 (RFC 6943 section 3.1.1: they are read as
 * octal by some), no zone, no IPv4-mapped IPv6, at most 45 characters.
 * @returns the canonical address, or undefined when the text is not one.
 */
export function parseAddress(text: string): Address | undefined {
  if (text.length > 45) return undefined;
  // Whatever is read strictly is canonical, and tens of thousands need not be kept twice.
  if (!text.includes(":")) return readIpv4(text) === undefined ? undefined : (text as Address);
  const value = readIpv6(text);
  if (value === undefined || value >> 32n === IPV4_MAPPED_PREFIX) return undefined;
  return addressFromValue("ipv6", value);
}

/** The number of an address: 0 to 2^32-1 or 2^128-1. */
export function addressValue(address: Address): bigint {
  const value = address.includes(":") ? readIpv6(address) : readIpv4(address);
  assert(value !== undefined, "an Address parses");
  return value;
}

/** The address with this number. `value` must be within the family. */
export function addressFromValue(family: Family, value: bigint): Address {
  assert(value >= 0n && value <= (family === "ipv4" ? IPV4_MAX : IPV6_MAX), "value within family");
  return (family === "ipv4" ? writeIpv4(Number(value)) : writeIpv6(value)) as Address;
}

/** Digit by digit, without a list of parts: planning reads tens of thousands of them. */
function readIpv4(text: string): bigint | undefined {
  let value = 0;
  let octet = -1;
  let dots = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === DOT) {
      if (octet < 0) return undefined;
      value = value * 256 + octet;
      octet = -1;
      dots += 1;
      continue;
    }
    // No digit may follow a zero that begins the octet.
    if (code < ZERO || code > ZERO + 9 || octet === 0) return undefined;
    octet = Math.max(octet, 0) * 10 + code - ZERO;
    if (octet > 255) return undefined;
  }
  return dots !== 3 || octet < 0 ? undefined : BigInt(value * 256 + octet);
}

const DOT = ".".charCodeAt(0);
const ZERO = "0".charCodeAt(0);

function writeIpv4(value: number): string {
  return `${(value >>> 24) & 255}.${(value >>> 16) & 255}.${(value >>> 8) & 255}.${value & 255}`;
}

function readIpv6(text: string): bigint | undefined {
  let source = text;
  // A dotted tail stands for the last two groups (RFC 4291 section 2.2, form 3).
  const tail = /^(.*:)([0-9.]+)$/.exec(text);
  if (tail?.[2]?.includes(".") === true) {
    const low = readIpv4(tail[2]);
    if (low === undefined) return undefined;
    source = `${tail[1] ?? ""}${(low >> 16n).toString(16)}:${(low & 0xffffn).toString(16)}`;
  }
  const halves = source.split("::");
  if (halves.length > 2) return undefined;
  const head = groupsOf(halves[0] ?? "");
  const rest = halves.length === 2 ? groupsOf(halves[1] ?? "") : [];
  if (head === undefined || rest === undefined) return undefined;
  const missing = 8 - head.length - rest.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  let value = 0n;
  for (const group of [...head, ...Array<number>(missing).fill(0), ...rest]) {
    value = (value << 16n) | BigInt(group);
  }
  return value;
}

function groupsOf(text: string): number[] | undefined {
  if (text === "") return [];
  const groups: number[] = [];
  for (const part of text.split(":")) {
    if (!/^[0-9a-fA-F]{1,4}$/.test(part)) return undefined;
    groups.push(Number.parseInt(part, 16));
  }
  return groups;
}

function writeIpv6(value: bigint): string {
  const groups = Array.from({ length: 8 }, (_, i) =>
    Number((value >> BigInt(112 - 16 * i)) & 0xffffn),
  );
  let best = { start: -1, length: 1 };
  for (let start = 0; start < 8; start++) {
    let length = 0;
    while (start + length < 8 && groups[start + length] === 0) length++;
    if (length > best.length) best = { start, length };
  }
  const hex = groups.map((group) => group.toString(16));
  if (best.start < 0) return hex.join(":");
  return `${hex.slice(0, best.start).join(":")}::${hex.slice(best.start + best.length).join(":")}`;
}
