// From what rtnetlink answers to links and addresses of the model. Pure: messages in, values out.
// Devices and addresses that the model cannot name are left out; the loopback device always is.

import {
  type Address,
  type DeviceName,
  type Link,
  type Prefix,
  addressValue,
  familyBits,
  familyOf,
  parseDeviceName,
} from "@fairlead/model";
import type { KernelAddress, KernelView } from "../ports.ts";
import { addressFromBytes, FAMILY_NUMBERS, familyNumber, macText } from "./address-bytes.ts";

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
    readonly cacheInfo?: { readonly ifaValid?: number };
  };
}

/** The part of a route message that is read. */
export interface RouteMessage {
  readonly data: {
    readonly family?: number;
    readonly dstLen?: number;
    readonly scope?: number | string;
    readonly table?: number;
    readonly type?: number | string;
  };
  readonly attrs: {
    readonly dst?: Buffer;
    readonly gateway?: Buffer;
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

/** What a message is about, whatever else it says. */
export function linkKey({ data }: LinkMessage): string {
  return String(data.index);
}

/** See `linkKey`. */
export function addressKey({ data, attrs }: AddressMessage): string {
  const address = (attrs.local ?? attrs.address)?.toString("hex");
  return [data.index, data.prefixlen, address].join(" ");
}

/** See `linkKey`. */
export function routeKey({ data, attrs }: RouteMessage): string {
  const { dst, gateway, oif, priority, table = data.table } = attrs;
  const places = [dst, gateway].map((one) => one?.toString("hex"));
  return [data.family, data.dstLen, table, oif, priority, ...places].join(" ");
}

const MAIN_TABLE = 254;
const OPERSTATE_UNKNOWN = 0;
const OPERSTATE_UP = 6;
/** fe80::/10 */
const LINK_LOCAL_IPV6 = /^fe[89ab]/;

/** Which device is the primary one. */
export interface PrimaryChoice {
  /** The operator's word; without it a device of a default route is primary. */
  readonly primaryLink?: DeviceName | undefined;
  /** Devices without a wire, which are never taken without that word. Default none. */
  readonly wireless?: ReadonlySet<DeviceName>;
}

/** The devices of default routes of the main table, IPv4 before IPv6, lowest metric first. */
export function defaultDevices({ links, routes }: KernelMessages): readonly DeviceName[] {
  const names = namesOf(links);
  const found = routes
    .filter(isDefaultRoute)
    .toSorted((a, b) => (a.data.family ?? 0) - (b.data.family ?? 0) || metricOf(a) - metricOf(b))
    .flatMap(({ attrs }) => names.get(attrs.oif ?? firstHopIndex(attrs.multipath) ?? -1) ?? []);
  return [...new Set(found)];
}

/**
 * Makes the view. Without an operator's word the first wired device of a default route is primary,
 * of those that are up if there is one. IPv6 addresses that the kernel does not use
 * yet, or never will because another host has them, do not count as held.
 */
export function kernelView(
  messages: KernelMessages,
  { primaryLink, wireless = NO_DEVICES }: PrimaryChoice = {},
): KernelView {
  const names = namesOf(messages.links);
  const addresses = messages.addresses.flatMap((message) => {
    const address = kernelAddress(message, names);
    return address === undefined ? [] : [address];
  });
  const links = messages.links.flatMap((message) => {
    const name = names.get(message.data.index ?? -1);
    return name === undefined ? [] : [linkOf(message, name, addresses)];
  });
  const isUp = (name: DeviceName): boolean => links.some((link) => link.name === name && link.up);
  const wired = defaultDevices(messages).filter((name) => !wireless.has(name));
  const primary = primaryLink ?? wired.find(isUp) ?? wired[0];
  return {
    links: links.map((link) => ({ ...link, primary: link.name === primary })),
    addresses,
  };
}

const NO_DEVICES: ReadonlySet<DeviceName> = new Set();

/**
 * kube-proxy's device in its mode ipvs: every node has the address of every Service on it, and none
 * speaks of that on a network (kubernetes/kubernetes, pkg/proxy/ipvs). As little as one on lo is an
 * address there held.
 */
const IPVS_DEVICE = "kube-ipvs0";

/** Names by index, without the devices whose addresses nobody else sees. */
function namesOf(links: readonly LinkMessage[]): ReadonlyMap<number, DeviceName> {
  const names = new Map<number, DeviceName>();
  for (const { data, attrs } of links) {
    const name = parseDeviceName(attrs.ifname ?? "");
    if (name === undefined || data.index === undefined) continue;
    if (data.flags?.loopback === true || name === IPVS_DEVICE) continue;
    names.set(data.index, name);
  }
  return names;
}

function linkOf(
  { data, attrs }: LinkMessage,
  name: DeviceName,
  addresses: readonly KernelAddress[],
): Omit<Link, "primary"> {
  const state = attrs.operstate ?? OPERSTATE_UNKNOWN;
  const hasCarrier =
    state === OPERSTATE_UP || (state === OPERSTATE_UNKNOWN && data.flags?.lowerUp === true);
  return {
    name,
    mac: macText(attrs.address),
    up: data.flags?.up === true && hasCarrier,
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
  const label =
    data.family === FAMILY_NUMBERS.ipv4 && attrs.label !== undefined ? { label: attrs.label } : {};
  const valid = attrs.cacheInfo?.ifaValid ?? FOREVER;
  const lifetime = valid === FOREVER ? {} : { validMs: valid * 1000 };
  return { address, prefixLength: data.prefixlen, link, ...label, ...lifetime };
}

/** A lifetime without end, in seconds (INFINITY_LIFE_TIME of the kernel). */
export const FOREVER = 0xffff_ffff;

/**
 * Length of the longest route of a device that covers the address: of those of the main table that
 * leave by the device without a gateway, and that are no default route and no single address.
 */
export function routeLength(
  routes: readonly RouteMessage[],
  index: number,
  address: Address,
): number | undefined {
  const family = familyOf(address);
  const bits = familyBits(family);
  const value = addressValue(address);
  const lengths = routes.flatMap(({ data, attrs }) => {
    const length = data.dstLen ?? 0;
    const isOwn = attrs.oif === index && attrs.gateway === undefined && attrs.dst !== undefined;
    const isMain = (attrs.table ?? data.table) === MAIN_TABLE && isUnicast(data);
    if (!isOwn || !isMain || length === 0 || length >= bits) return [];
    const network = addressOf(data.family, attrs.dst);
    if (network === undefined || familyOf(network) !== family) return [];
    const host = BigInt(bits - length);
    return value >> host === addressValue(network) >> host ? [length] : [];
  });
  return lengths.length === 0 ? undefined : Math.max(...lengths);
}

function isUnicast({ type }: RouteMessage["data"]): boolean {
  return type === "UNICAST" || type === 1;
}

/** What is of another family than its message says is nothing that is known here. */
function addressOf(family: number | undefined, bytes: Buffer | undefined): Address | undefined {
  if (bytes === undefined || family !== familyNumber(bytes)) return undefined;
  return addressFromBytes(bytes);
}

function isDefaultRoute({ data, attrs }: RouteMessage): boolean {
  const { ipv4, ipv6 } = FAMILY_NUMBERS;
  const isIp = data.family === ipv4 || data.family === ipv6;
  return isUnicast(data) && isIp && data.dstLen === 0 && (attrs.table ?? data.table) === MAIN_TABLE;
}

function metricOf(route: RouteMessage): number {
  return route.attrs.priority ?? 0;
}

/** struct rtnexthop: length 2 bytes, flags 1, hops 1, then the device's index (rtnetlink(7)). */
function firstHopIndex(hops: Buffer | undefined): number | undefined {
  return hops === undefined || hops.length < 8 ? undefined : hops.readInt32LE(4);
}
