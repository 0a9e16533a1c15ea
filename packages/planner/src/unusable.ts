// Addresses that no VIP can be although a pool holds them: hosts' own addresses, and the first
// and last of a network that hosts are in. Given agents' links; concerns new addresses only, so
// that a host that joins later takes nothing from anybody.

import { type Address, type AgentView, familyOf, networkOf, networkText } from "@fairlead/model";

import { networkPrefixes, ownAddresses } from "./segments.ts";

/** Those addresses, each with why. */
export function findUnusable(agents: readonly AgentView[]): ReadonlyMap<Address, string> {
  const unusable = new Map<Address, string>();
  for (const agent of agents) {
    for (const link of agent.hello.links) {
      for (const prefix of networkPrefixes(link)) {
        // RFC 3021: a /31 has neither; the last address is an ordinary one in IPv6.
        const family = familyOf(prefix.address);
        if (prefix.length > (family === "ipv4" ? 30 : 126)) continue;
        const { first, last } = networkOf(prefix);
        const text = networkText(prefix);
        unusable.set(first, `is the first address of network ${text}`);
        if (family === "ipv4") unusable.set(last, `is the broadcast address of network ${text}`);
      }
    }
  }
  for (const agent of agents) {
    for (const link of agent.hello.links) {
      for (const address of ownAddresses(link)) {
        unusable.set(address, `is the own address of agent ${agent.name}`);
      }
    }
  }
  return unusable;
}
