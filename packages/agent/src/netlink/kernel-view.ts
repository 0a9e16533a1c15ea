// From what rtnetlink answers to links and addresses of the model. Pure: messages in, values out.
// Devices and addresses that the model cannot name are left out; the loopback device always is.

import {
  type Address,
  type DeviceName,
  type Link,
  type Prefix,
  addressFromValue,
  familyOf,
  parseDeviceName,
} from "@fairlead/model";
import type { KernelAddress, KernelView } from "../ports.ts";

/** The part of a link message that is read. */
export interface LinkMessage {
  readonly data: {
    readonly index?: number;
    readonly flags?: { readonly up?: true; readonly loopback?: true; readonly lowerUp?: true };
  };
  readonly attrs: {
    readonly ifname?: string;
    readonly address?: Buffer;
    /** RFC 2863 states: 6 is up, 0 unknown (devices that do not tell). */
    readonly operstate?: number;
  };
}

/** The part of an address message that is read. */
export interface AddressMessage {
  readonly data: {
    readonly family?: number;
    readonly prefixlen?: number;
    readonly index?: number;
  };
  readonly attrs: {
    readonly address?: Buffer;
    readonly local?: Buffer;
    readonly label?: string;
    readonly flags?: { readonly tentative?: true; readonly dadfailed?: true };
  };
}

/** The part of a route message that is read. */
export interface RouteMessage {
  readonly data: {
    readonly family?: number;
    readonly dstLen?: number;
    readonly table?: number;
    readonly type?: number | string;
  };
  readonly attrs: {
    readonly oif?: number;
    readonly priority?: number;
    readonly table?: number;
    readonly multipath?: Buffer;
  };
}

/** Answers of one look. */
export interface KernelMessages {
  readonly links: readonly LinkMessage[];
  readonly addresses: readonly AddressMessage[];
  readonly routes: readonly RouteMessage[];
}

const AF_INET = 2;
const AF_INET6 = 10;
const MAIN_TABLE = 254;
const OPERSTATE_UNKNOWN = 0;
const OPERSTATE_UP = 6;
/** fe80::/10 */
const LINK_LOCAL_IPV6 = /^fe[89ab]/;

/**
 * Makes the view. `primaryLink` is the operator's word; without it the device of the default route
 * is primary, IPv4 before IPv6, lowest metric first. IPv6 addresses that the kernel does not use
 * yet, or never will because another host has them, do not count as held.
 */
export function kernelView(
  messages: KernelMessages,
  primaryLink: DeviceName | undefined,
): KernelView {
  const names = new Map<number, DeviceName>();
  for (const { data, attrs } of messages.links) {
    const name = parseDeviceName(attrs.ifname ?? "");
    if (name === undefined || data.index === undefined || data.flags?.loopback === true) continue;
    names.set(data.index, name);
  }
  const addresses = messages.addresses.flatMap((message) => {
    const address = kernelAddress(message, names);
    return address === undefined ? [] : [address];
  });
  const routed = names.get(defaultRouteIndex(messages.routes) ?? -1);
  const primary = primaryLink ?? routed;
  const links = messages.links.flatMap((message) => {
    const name = names.get(message.data.index ?? -1);
    return name === undefined ? [] : [linkOf(message, name, name === primary, addresses)];
  });
  return { links, addresses };
}

function linkOf(
  { data, attrs }: LinkMessage,
  name: DeviceName,
  primary: boolean,
  addresses: readonly KernelAddress[],
): Link {
  const state = attrs.operstate ?? OPERSTATE_UNKNOWN;
  const hasCarrier =
    state === OPERSTATE_UP || (state === OPERSTATE_UNKNOWN && data.flags?.lowerUp === true);
  return {
    name,
    mac: macText(attrs.address),
    up: data.flags?.up === true && hasCarrier,
    primary,
    prefixes: addresses.filter((entry) => entry.link === name).flatMap(prefixOf),
  };
}

/** Link-local IPv6 addresses say nothing of the network that a link is in. */
function prefixOf(entry: KernelAddress): Prefix[] {
  if (familyOf(entry.address) === "ipv6" && LINK_LOCAL_IPV6.test(entry.address)) return [];
  return [{ address: entry.address, length: entry.prefixLength }];
}

function kernelAddress(
  { data, attrs }: AddressMessage,
  names: ReadonlyMap<number, DeviceName>,
): KernelAddress | undefined {
  const link = names.get(data.index ?? -1);
  // On point-to-point links `address` is the other end's.
  const address = addressOf(data.family, attrs.local ?? attrs.address);
  if (link === undefined || address === undefined || data.prefixlen === undefined) return undefined;
  if (attrs.flags?.tentative === true || attrs.flags?.dadfailed === true) return undefined;
  const label = data.family === AF_INET && attrs.label !== undefined ? { label: attrs.label } : {};
  return { address, prefixLength: data.prefixlen, link, ...label };
}

function addressOf(family: number | undefined, bytes: Buffer | undefined): Address | undefined {
  if (bytes === undefined) return undefined;
  const value = BigInt(`0x${bytes.toString("hex")}`);
  if (family === AF_INET && bytes.length === 4) return addressFromValue("ipv4", value);
  if (family === AF_INET6 && bytes.length === 16) return addressFromValue("ipv6", value);
  return undefined;
}

function macText(bytes: Buffer | undefined): string {
  return bytes === undefined ? "" : (bytes.toString("hex").match(/../g) ?? []).join(":");
}

/** Index of the device that the preferred default route of the main table leaves by. */
function defaultRouteIndex(routes: readonly RouteMessage[]): number | undefined {
  const candidates = routes
    .filter(isDefaultRoute)
    .toSorted((a, b) => (a.data.family ?? 0) - (b.data.family ?? 0) || metricOf(a) - metricOf(b));
  const best = candidates[0];
  return best === undefined ? undefined : (best.attrs.oif ?? firstHopIndex(best.attrs.multipath));
}

function isDefaultRoute({ data, attrs }: RouteMessage): boolean {
  const isUnicast = data.type === "UNICAST" || data.type === 1;
  const isIp = data.family === AF_INET || data.family === AF_INET6;
  return isUnicast && isIp && data.dstLen === 0 && (attrs.table ?? data.table) === MAIN_TABLE;
}

function metricOf(route: RouteMessage): number {
  return route.attrs.priority ?? 0;
}

/** struct rtnexthop: length 2 bytes, flags 1, hops 1, then the device's index (rtnetlink(7)). */
function firstHopIndex(hops: Buffer | undefined): number | undefined {
  return hops === undefined || hops.length < 8 ? undefined : hops.readInt32LE(4);
}
