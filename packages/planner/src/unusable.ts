// Addresses that cannot be given now although a pool holds them: hosts' own, the first and last of
// a network that hosts are in, those of nodes and API servers, and what an agent still has. Given
// what agents and sources say; concerns new addresses only, so that a host that joins later takes
// nothing from anybody.

import {
  type Address,
  type AgentName,
  type AgentView,
  type World,
  compareText,
  familyOf,
  networkOf,
  networkText,
  vipName,
} from "@fairlead/model";

import { networkPrefixes, ownAddresses } from "./segments.ts";

/** What keeps addresses from being given. */
export interface Unusable {
  /** Why no VIP can have it, whoever asks; undefined when one can. */
  whyNever(address: Address): string | undefined;
  /**
   * Whose it is by what sources say. Who had it first keeps it, also by its status alone: the node
   * or the API server may have it from us.
   */
  whyBarred(address: Address): string | undefined;
  /**
   * An agent that has it by its last report. Of an address that nobody holds that is a leftover: of
   * a store that was lost, or of an operator's word that was not true.
   */
  stillOn(address: Address): AgentName | undefined;
  /** Whether nothing keeps it from being given. */
  allows(address: Address): boolean;
}

/** Learns it from agents. Of several with one address, the first by name is spoken of. */
export function findUnusable(
  given: readonly AgentView[],
  barred: World["barred"] = NOTHING,
): Unusable {
  const agents = given.toSorted((a, b) => compareText(a.name, b.name));
  const never = findNever(agents);
  const stillOn = (address: Address): AgentName | undefined => {
    const name = vipName(address);
    return agents.find(({ report }) => report?.resources.has(name) === true)?.name;
  };
  return {
    whyNever: (address) => never.get(address),
    whyBarred: (address) => barred.get(address),
    stillOn,
    allows: (address) =>
      !never.has(address) && !barred.has(address) && stillOn(address) === undefined,
  };
}

const NOTHING: ReadonlyMap<Address, string> = new Map();

/** Whether somebody else has it, so that only who wishes for it, or holds it, hears of it. */
export function isOthers(
  known: { readonly unusable: Unusable; readonly inUse: ReadonlyMap<Address, string> },
  address: Address,
): boolean {
  return known.inUse.has(address) || known.unusable.whyBarred(address) !== undefined;
}

/** All own addresses of agents. */
export function findOwned(agents: readonly AgentView[]): ReadonlySet<Address> {
  return new Set(agents.flatMap(({ hello }) => hello.links.flatMap(ownAddresses)));
}

function findNever(agents: readonly AgentView[]): ReadonlyMap<Address, string> {
  const unusable = new Map<Address, string>();
  const say = (address: Address, why: string): void => {
    if (!unusable.has(address)) unusable.set(address, why);
  };
  for (const agent of agents) {
    for (const link of agent.hello.links) {
      for (const address of ownAddresses(link)) {
        say(address, `is the own address of agent ${agent.name}`);
      }
    }
  }
  for (const agent of agents) {
    for (const link of agent.hello.links) {
      for (const prefix of networkPrefixes(link)) {
        // RFC 3021: a /31 has neither; the last address is an ordinary one in IPv6.
        const family = familyOf(prefix.address);
        if (prefix.length > (family === "ipv4" ? 30 : 126)) continue;
        const { first, last } = networkOf(prefix);
        const text = networkText(prefix);
        say(first, `is the first address of network ${text}`);
        if (family === "ipv4") say(last, `is the broadcast address of network ${text}`);
      }
    }
  }
  return unusable;
}
