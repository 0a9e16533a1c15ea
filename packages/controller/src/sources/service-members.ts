// Finds the members behind each port of a Service out of its EndpointSlices. Pure. What can never
// be a member is left out and named; it refuses nothing.

import {
  type Address,
  type Member,
  type MemberState,
  compareText,
  parseAddress,
  scopeOf,
} from "@fairlead/model";

import { type FindMembers, membersAt, type Place, portWords, sortPlaces } from "./find-members.ts";
import { portMatcher } from "./match-ports.ts";
import { quoteList } from "./quote.ts";
import type { RemarkList } from "./remarks.ts";
import type { ServicePort } from "./service-object.ts";
import type { SliceEndpoint, SliceObject, SlicePort } from "./slice-object.ts";

/**
 * Most numbers that one slice may have for one port. In a cluster it is one, as a slice names each
 * port once; without a bound a slice by hand would multiply all its ports with all its endpoints.
 */
const NUMBERS_MAX = 16;
/** What members out of EndpointSlices depend on. */
export interface EndpointMemberOptions {
  readonly slices: readonly SliceObject[];
  /** All ports of the Service that the slices belong to. */
  readonly ports: readonly ServicePort[];
  /** `ADDRESS PORT` of API servers: whoever may write a slice must not reach them through us. */
  readonly apiServers?: ReadonlySet<string>;
}

/** Members out of the Service's EndpointSlices, all of them merged. */
export function endpointMembers(
  { slices, ports, apiServers = new Set() }: EndpointMemberOptions,
  remarks: RemarkList,
): FindMembers {
  const { portLists, places } = mergeSlices(slices, remarks);
  const names = new Set(ports.map(({ name }) => name).filter((name) => name !== ""));
  const matchers = portLists.map((list) => portMatcher(list, names));
  const sorted = sortPlaces(places);
  const apiAddresses = addressesByPort(apiServers);
  const isBarred = (address: Address, number: number): boolean => {
    if (apiAddresses.get(number)?.has(address) !== true) return false;
    const detail = `left out, as it is an API server: ${address} port ${number}`;
    remarks.remark("BadMember", detail);
    return true;
  };
  return (port) => {
    const numbers = matchers.map((match) => boundNumbers(port, match(port)));
    if (places.length > 0 && numbers.every((some) => some.length === 0)) {
      remarks.remark("UnknownTargetPort", `no EndpointSlice has a port for ${portWords(port)}`);
    }
    // Asked of each place, and of most ports there is nothing to ask.
    const hasBarred = numbers.some((some) => some.some((number) => apiAddresses.has(number)));
    const asked = { port, numbers, ...(hasBarred ? { isBarred } : {}) };
    return withLastResort(membersAt(sorted, asked, remarks));
  };

  function boundNumbers(port: ServicePort, found: readonly number[]): readonly number[] {
    if (found.length <= NUMBERS_MAX) return found;
    const detail = `an EndpointSlice has ${found.length} numbers for ${portWords(port)}`;
    remarks.remark("BadMember", `${detail}; those after the first ${NUMBERS_MAX} left out`);
    return found.slice(0, NUMBERS_MAX);
  }
}

/** All slices as one; in a cluster most or all of a Service's slices have the same ports. */
function mergeSlices(
  slices: readonly SliceObject[],
  remarks: RemarkList,
): { readonly portLists: readonly (readonly SlicePort[])[]; readonly places: readonly Place[] } {
  const lists = new Map<string, { readonly index: number; readonly list: readonly SlicePort[] }>();
  const places: Place[] = [];
  const bad = new Set<string>();
  for (const { addressType, endpoints, ports } of slices) {
    if (addressType === "FQDN") {
      remarks.remark("BadMember", "an EndpointSlice of addressType FQDN has no member addresses");
      continue;
    }
    const text = JSON.stringify(ports);
    const { index } = lists.get(text) ?? { index: lists.size };
    lists.set(text, { index, list: ports });
    for (const place of readEndpoints(endpoints, bad)) places.push({ ...place, ports: index });
  }
  if (bad.size > 0) {
    const named = quoteList([...bad].toSorted(compareText));
    remarks.remark("BadMember", `left out, as they are no unicast addresses: ${named}`);
  }
  return { portLists: [...lists.values()].map(({ list }) => list), places };
}

function addressesByPort(endpoints: ReadonlySet<string>): ReadonlyMap<number, Set<string>> {
  const addresses = new Map<number, Set<string>>();
  for (const endpoint of endpoints) {
    const [address = "", port] = endpoint.split(" ");
    const some = addresses.get(Number(port)) ?? new Set();
    addresses.set(Number(port), some.add(address));
  }
  return addresses;
}

/** As kube-proxy (KEP-1669): where nobody is ready, those serve on that end and still can. */
function withLastResort(members: readonly Member[]): readonly Member[] {
  if (members.some(({ state }) => state === "active")) return members;
  return members.map((member) => ({ ...member, state: "active" }));
}

function readEndpoints(
  endpoints: readonly SliceEndpoint[],
  bad: Set<string>,
): readonly Omit<Place, "ports">[] {
  return endpoints.flatMap((endpoint) => {
    const state = endpointState(endpoint);
    if (state === undefined) return [];
    return endpoint.addresses.flatMap((text) => {
      const address = parseAddress(text);
      if (address !== undefined && scopeOf(address) === "unicast") return [{ address, state }];
      bad.add(text);
      return [];
    });
  });
}

/** As kube-proxy: what is said to be ready is, even one that ends (publishNotReadyAddresses). */
function endpointState({ ready, serving, terminating }: SliceEndpoint): MemberState | undefined {
  if (ready) return "active";
  return serving && terminating ? "draining" : undefined;
}
