// What claims are given while there is no pool at all: the first address of an agent's primary
// device, which all of them share by port. Given agents; makes a pool of it like any other, so that
// nothing behind allocation has to know.

import {
  type AddressPool,
  type AgentView,
  type Family,
  type LeasedAddress,
  type PoolName,
  type World,
  compareText,
  familyOf,
  scopeOf,
} from "@fairlead/model";

/** The name under which such an address is leased. */
export const OWN_POOL: PoolName = "own-address" as PoolName;

/** The sharing key of everybody on a host's own address; none of a claim begins with a dash. */
export const OWN_KEY = "-own-address";

/** Whether the row is a host's own address, which its host has with or without us. */
export function isOwnAddress(row: Pick<LeasedAddress, "sharingKey"> | undefined): boolean {
  return row?.sharingKey === OWN_KEY;
}

/** Whether hosts' own addresses are given: there is no pool, and settings say so. */
export function givesOwn({ pools, settings }: Pick<World, "pools" | "settings">): boolean {
  return pools.length === 0 && settings.sharesOwnAddress === true;
}

/** The pool of hosts' own addresses; none while no agent is known that has one. */
export function ownPools(agents: readonly AgentView[]): readonly AddressPool[] {
  const sorted = agents.toSorted((a, b) => compareText(a.name, b.name));
  const ranges = sorted.flatMap(firstAddresses).map((address) => ({
    family: familyOf(address),
    first: address,
    last: address,
  }));
  if (ranges.length === 0) return [];
  const pool: AddressPool = {
    name: OWN_POOL,
    origin: "no pool",
    ranges,
    mode: "link",
    autoAssign: true,
    avoidBuggyIPs: false,
    reserved: [],
    sharing: "ports",
    quarantineMs: 0,
    // A host that got another address has no use for the old one.
    onShrink: "reassign",
    priority: 0,
    namespaces: [],
    serviceSelector: { matchLabels: {}, matchExpressions: [] },
    agents: [],
  };
  return [pool];
}

/** The first of each family, IPv4 first; the order is the kernel's. */
function firstAddresses({ hello }: AgentView): readonly AddressPool["ranges"][number]["first"][] {
  const own = hello.links
    .filter(({ primary }) => primary)
    .flatMap(({ prefixes }) => prefixes)
    .map(({ address }) => address)
    .filter((address) => scopeOf(address) === "unicast");
  return FAMILIES.flatMap((family) => own.find((address) => familyOf(address) === family) ?? []);
}

const FAMILIES: readonly Family[] = ["ipv4", "ipv6"];
