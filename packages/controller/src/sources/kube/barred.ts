// Addresses that a cluster itself has, which no VIP may get: those of its nodes and of its API
// servers. Given both as they are now. Pure.

import { type Address, compareText, parseAddress } from "@fairlead/model";

import type { NodeObject } from "../node-object.ts";
import { title } from "../quote.ts";

/**
 * Each address with whose it is, as words that follow it; a node is named, the first by name.
 * @param endpoints where API servers listen, as `ADDRESS PORT`.
 */
export function barredAddresses(
  nodes: Iterable<NodeObject>,
  endpoints: Iterable<string>,
): ReadonlyMap<Address, string> {
  const barred = new Map<Address, string>();
  const bar = (text: string, whose: string): void => {
    const address = parseAddress(text);
    if (address !== undefined && !barred.has(address)) barred.set(address, whose);
  };
  const sorted = [...nodes].sort((a, b) => compareText(a.metadata.name, b.metadata.name));
  for (const { metadata, addresses } of sorted) {
    const whose = `is an address of node ${title(metadata.name)}`;
    for (const { address } of addresses) bar(address, whose);
  }
  for (const endpoint of endpoints) {
    bar(endpoint.split(" ")[0] ?? "", "is an address of the API server");
  }
  return barred;
}
