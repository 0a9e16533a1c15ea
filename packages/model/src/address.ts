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
  const groups = groupsOf(text);
  if (groups === undefined || isIpv4Mapped(groups)) return undefined;
  return writeIpv6(groups) as Address;
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
  return (
    family === "ipv4" ? writeIpv4(Number(value)) : writeIpv6(groupsOfValue(value))
  ) as Address;
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
  const groups = groupsOf(text);
  if (groups === undefined) return undefined;
  const part = (from: number, to: number): bigint =>
    BigInt(groups.slice(from, to).reduce((value, group) => value * 0x1_0000 + group, 0));
  // As many groups at once as a number holds.
  return (part(0, 3) << 80n) | (part(3, 6) << 32n) | part(6, 8);
}

/** The eight groups. Digit by digit, as a Service may have ten thousand endpoints. */
function groupsOf(text: string): readonly number[] | undefined {
  const groups: number[] = [];
  let gap = -1;
  let at = 0;
  if (text.startsWith("::")) [gap, at] = [0, 2];
  while (at < text.length) {
    const end = endOfGroup(text, at);
    // A dotted tail stands for the last two groups (RFC 4291 section 2.2, form 3).
    if (text.charCodeAt(end) === DOT) {
      const low = readIpv4(text.slice(at));
      if (low === undefined) return undefined;
      groups.push(Number(low >> 16n), Number(low & 0xffffn));
      break;
    }
    if (end === at || end - at > 4) return undefined;
    groups.push(Number.parseInt(text.slice(at, end), 16));
    at = end + 1;
    if (end === text.length) break;
    if (text.charCodeAt(end) !== COLON) return undefined;
    if (text.charCodeAt(at) === COLON) {
      if (gap >= 0) return undefined;
      gap = groups.length;
      at += 1;
    } else if (at === text.length) return undefined;
  }
  const missing = 8 - groups.length;
  if (gap < 0) return missing === 0 ? groups : undefined;
  if (missing < 1) return undefined;
  groups.splice(gap, 0, ...ZEROS.slice(0, missing));
  return groups;
}

/** ::ffff:0:0/96: an IPv4 address in disguise, which would be a second name for one address. */
function isIpv4Mapped(groups: readonly number[]): boolean {
  return groups[5] === 0xffff && groups.slice(0, 5).every((group) => group === 0);
}

/** Where the hexadecimal digits end that begin there. */
function endOfGroup(text: string, from: number): number {
  let at = from;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    const letter = code | LOWER_CASE;
    const isDigit = code >= ZERO && code <= ZERO + 9;
    if (!isDigit && (letter < LETTER_A || letter > LETTER_A + 5)) break;
    at += 1;
  }
  return at;
}

const ZEROS: readonly number[] = [0, 0, 0, 0, 0, 0, 0, 0];
const COLON = ":".charCodeAt(0);
const LETTER_A = "a".charCodeAt(0);
/** The bit by which a small letter differs from the large one. */
const LOWER_CASE = 32;

function groupsOfValue(value: bigint): readonly number[] {
  return Array.from({ length: 8 }, (_, i) => Number((value >> BigInt(112 - 16 * i)) & 0xffffn));
}

function writeIpv6(groups: readonly number[]): string {
  let best = { start: -1, length: 1 };
  for (let start = 0; start < 8; start++) {
    let length = 0;
    while (start + length < 8 && groups[start + length] === 0) length++;
    if (length > best.length) best = { start, length };
  }
  const hex = (from: number, to: number): string => {
    let text = "";
    for (let at = from; at < to; at++) {
      text += `${at === from ? "" : ":"}${(groups[at] ?? 0).toString(16)}`;
    }
    return text;
  };
  if (best.start < 0) return hex(0, 8);
  return `${hex(0, best.start)}::${hex(best.start + best.length, 8)}`;
}
