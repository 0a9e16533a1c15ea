// Addresses that the agent holds by itself, without keepalived: which of them have to be put on
// their device now, for the first time or again. Pure. Each has a lifetime in the kernel, which the
// agent renews (renew-addresses.ts): of an agent that is dead no address outlives it for long.

import type { DeviceName, ResourceName, VipResource } from "@fairlead/model";

import { byPlace, placeOf } from "./by-address.ts";
import type { AcceptedPlan, AddedAddress, KernelAddress, LedgerEntry } from "./ports.ts";

/**
 * How long the kernel keeps an address that nobody renews, in ms: an upgrade of the agent takes a
 * few seconds, and a controller that lost the agent waits for as long before it says so.
 */
export const LIFETIME_MS = 60_000;
/** Longest label of an address, in characters (IFNAMSIZ with its NUL). */
const LABEL_MAX = 15;
const MARK = ":fl";

/** An address that the agent holds by itself. */
export interface Attachment {
  readonly vip: VipResource;
  readonly link: DeviceName;
  /** Absent: it is there. */
  readonly put?: AddedAddress;
  /** As it is there. Absent: it is not. */
  readonly here?: KernelAddress;
}

/** The label by which an address on this device is known as ours. */
export function ownerLabel(link: DeviceName): string {
  return `${link.slice(0, LABEL_MAX - MARK.length)}${MARK}`;
}

/** Whether an address carries our mark; IPv6 addresses cannot carry one. */
export function isMarked(address: KernelAddress): boolean {
  return address.label === ownerLabel(address.link);
}

/** Whether the VIP is the agent's own work; a host's own address is nobody's. */
export function isAttached({ carrier }: VipResource): boolean {
  return carrier.kind === "link" && !carrier.adopts;
}

/**
 * What has to be done for a VIP of a device, which is not a foreign address.
 * @param places what the kernel has, by `placeOf`: on another device it is not where it has to be.
 */
export function attachmentOf(
  vip: VipResource,
  places: ReadonlyMap<string, KernelAddress>,
): Attachment[] {
  const { carrier, address } = vip;
  if (carrier.kind !== "link" || carrier.adopts) return [];
  const { link } = carrier;
  const here = places.get(placeOf({ address, link }));
  if (here !== undefined) return [{ vip, link, here }];
  const { prefixLength } = vip;
  return [{ vip, link, put: { address, link, prefixLength, validMs: LIFETIME_MS } }];
}

/** What is known of the host between two passes. */
export interface AttachView {
  readonly addresses: readonly KernelAddress[];
  readonly ledger: readonly LedgerEntry[];
  /** What the kernel did not take, which is tried again in its own time. */
  readonly refused: ReadonlyMap<ResourceName, unknown>;
}

/**
 * Whether an address that was put there is missing. One that is not in the ledger was never handed
 * over: a pass failed at that, and is made again in its own time.
 */
export function isAttachingDue(
  wanted: AcceptedPlan,
  { addresses, ledger, refused }: AttachView,
): boolean {
  const known = new Set(ledger.map(({ address }) => address));
  const places = byPlace(addresses);
  for (const resource of wanted.plan.resources.values()) {
    if (resource.kind !== "vip" || !isAttached(resource)) continue;
    if (refused.has(resource.name)) continue;
    const { address, carrier } = resource;
    if (carrier.kind !== "link" || !known.has(address)) continue;
    if (!places.has(placeOf({ address, link: carrier.link }))) return true;
  }
  return false;
}
