// The history of who held which address, kept per host and device: pure bookkeeping. Given changes
// as they come. It must never count one holding twice, as the kernel tells a renewed address again.

import type { AddressChange } from "./held-address.ts";

/** An address came to a host, or left it. */
export interface HolderEvent {
  /** On the lab's clock. */
  readonly atMs: number;
  readonly host: string;
  readonly address: string;
  readonly event: "added" | "removed";
}

/** The history. */
export interface HolderHistory {
  /** Notes a change at a time. */
  note(host: string, change: AddressChange, atMs: number): void;
  /** Notes that a host has lost all it held, as in a crash. */
  noteGone(host: string, atMs: number): void;
  /** All that happened, in the order of time. */
  events(): readonly HolderEvent[];
  /** The hosts that hold the address now, by name. */
  holders(address: string): readonly string[];
  /** All addresses that the host holds now. */
  heldBy(host: string): readonly string[];
}

/** Makes an empty history. */
export function createHolderHistory(): HolderHistory {
  const events: HolderEvent[] = [];
  // Host, then address, then the devices that hold it.
  const held = new Map<string, Map<string, Set<string>>>();
  const addressesOf = (host: string): Map<string, Set<string>> => {
    const addresses = held.get(host) ?? new Map<string, Set<string>>();
    held.set(host, addresses);
    return addresses;
  };
  const add = (host: string, address: string, link: string, atMs: number): void => {
    const links = addressesOf(host).get(address) ?? new Set<string>();
    addressesOf(host).set(address, links);
    if (links.size === 0) events.push({ atMs, host, address, event: "added" });
    links.add(link);
  };
  const remove = (host: string, address: string, link: string, atMs: number): void => {
    const links = addressesOf(host).get(address);
    if (links?.delete(link) !== true || links.size > 0) return;
    addressesOf(host).delete(address);
    events.push({ atMs, host, address, event: "removed" });
  };
  return {
    note: (host, { event, held: one }, atMs) =>
      (event === "added" ? add : remove)(host, one.address, one.link, atMs),
    noteGone: (host, atMs) => {
      for (const address of addressesOf(host).keys()) {
        events.push({ atMs, host, address, event: "removed" });
      }
      held.delete(host);
    },
    events: () => [...events],
    holders: (address) =>
      [...held].filter(([, addresses]) => addresses.has(address)).map(([host]) => host),
    heldBy: (host) => [...addressesOf(host).keys()],
  };
}
