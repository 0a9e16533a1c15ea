// The kernel's addresses as a map: a host may have thousands, and each address of a plan is looked
// for among them in every pass and every look. Pure.

import type { Address } from "@fairlead/model";

import type { KernelAddress } from "./ports.ts";

/** Where the kernel has an address, by the address. */
export type ByAddress = ReadonlyMap<Address, KernelAddress>;

/** An address on a device, as a key. */
export function placeOf({ address, link }: Pick<KernelAddress, "address" | "link">): string {
  return `${address} ${link}`;
}

/** Every entry by its place. */
export function byPlace(addresses: readonly KernelAddress[]): ReadonlyMap<string, KernelAddress> {
  return new Map(addresses.map((entry) => [placeOf(entry), entry]));
}

/** The first entry of each address: one can be on two links. */
export function byAddress(addresses: readonly KernelAddress[]): ByAddress {
  const found = new Map<Address, KernelAddress>();
  for (const entry of addresses) if (!found.has(entry.address)) found.set(entry.address, entry);
  return found;
}
