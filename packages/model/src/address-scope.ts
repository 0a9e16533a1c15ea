// What kind of place an address names: which may be a VIP or a member, and which never.
// Given parsed addresses and ranges only.

import type { Address } from "./address.ts";
import { type AddressRange, parseRange, rangesOverlap } from "./cidr.ts";

/** `unicast`: an address of a host that others can reach, global or private. */
export type AddressScope =
  | "unicast"
  | "loopback"
  | "link-local"
  | "multicast"
  | "unspecified"
  | "reserved";

/**
 * The scope of an address, by the IANA special-purpose registries (RFC 6890): 0.0.0.0/8 counts as
 * unspecified, 240.0.0.0/4 with the limited broadcast as reserved.
 */
export function scopeOf(address: Address): AddressScope {
  return address.includes(":") ? scopeOfIpv6(address) : scopeOfIpv4(address);
}

function scopeOfIpv4(address: Address): AddressScope {
  const first = Number(address.slice(0, address.indexOf(".")));
  if (first === 0) return "unspecified";
  if (first === 127) return "loopback";
  if (first >= 240) return "reserved";
  if (first >= 224) return "multicast";
  return address.startsWith("169.254.") ? "link-local" : "unicast";
}

function scopeOfIpv6(address: Address): AddressScope {
  if (address === "::") return "unspecified";
  if (address === "::1") return "loopback";
  if (/^ff[0-9a-f]{2}:/.test(address)) return "multicast";
  return /^fe[89ab][0-9a-f]:/.test(address) ? "link-local" : "unicast";
}

/**
 * The scope of a whole range: `unicast` when all of its addresses are, whatever its ends are; else
 * the scope of some that are not, the lowest first.
 */
export function scopeOfRange(range: AddressRange): AddressScope {
  return BLOCKS.find(({ block }) => rangesOverlap(range, block))?.scope ?? "unicast";
}

/** Everything that is not unicast; `scopeOf` says the same of one address, and fast. */
const BLOCKS: readonly { readonly scope: AddressScope; readonly block: AddressRange }[] = (
  [
    ["unspecified", "0.0.0.0/8"],
    ["loopback", "127.0.0.0/8"],
    ["link-local", "169.254.0.0/16"],
    ["multicast", "224.0.0.0/4"],
    ["reserved", "240.0.0.0/4"],
    ["unspecified", "::"],
    ["loopback", "::1"],
    ["link-local", "fe80::/10"],
    ["multicast", "ff00::/8"],
  ] as const
).flatMap(([scope, text]) => {
  const parsed = parseRange(text);
  return parsed.kind === "ok" ? [{ scope, block: parsed.value }] : [];
});
