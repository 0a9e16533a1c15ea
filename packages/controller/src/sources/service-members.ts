// Finds the members behind each port of a Service out of its EndpointSlices. Pure. What can never
// be a member is left out and named; it refuses nothing.

import {
  type Address,
  type Member,
  type MemberState,
  compareNumber,
  compareText,
  parseAddress,
  scopeOf,
} from "@fairlead/model";

import { type FindMembers, portWords, sortMembers } from "./find-members.ts";
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
  { slices, ports, apiServers }: EndpointMemberOptions,
  remarks: RemarkList,
): FindMembers {
  const names = new Set(ports.map(({ name }) => name).filter((name) => name !== ""));
  const bad = new Set<string>();
  const usable = slices.flatMap((slice) => {
    if (slice.addressType !== "FQDN") return [{ slice, endpoints: readEndpoints(slice, bad) }];
    remarks.remark("BadMember", "an EndpointSlice of addressType FQDN has no member addresses");
    return [];
  });
  if (bad.size > 0) {
    const named = quoteList([...bad].toSorted(compareText));
    remarks.remark("BadMember", `left out, as they are no unicast addresses: ${named}`);
  }
  const hasEndpoints = usable.some(({ endpoints }) => endpoints.length > 0);
  return (port) => {
    const found: Member[] = [];
    let isPortKnown = false;
    for (const { slice, endpoints } of usable) {
      const numbers = matchPorts(port, slice.ports, names);
      if (numbers.length > 0) isPortKnown = true;
      if (numbers.length > NUMBERS_MAX) {
        const detail = `an EndpointSlice has ${numbers.length} numbers for ${portWords(port)}`;
        remarks.remark("BadMember", `${detail}; those after the first ${NUMBERS_MAX} left out`);
      }
      for (const number of numbers.slice(0, NUMBERS_MAX)) {
        for (const { address, state } of endpoints) {
          const isApiServer = apiServers?.has(`${address} ${number}`) === true;
          if (!isApiServer) found.push({ address, port: number, weight: 1, state });
          else {
            const detail = `left out, as it is an API server: ${address} port ${number}`;
            remarks.remark("BadMember", detail);
          }
        }
      }
    }
    if (hasEndpoints && !isPortKnown) {
      remarks.remark("UnknownTargetPort", `no EndpointSlice has a port for ${portWords(port)}`);
    }
    return withLastResort(sortMembers(found, port, remarks));
  };
}

/** As kube-proxy (KEP-1669): where nobody is ready, those serve on that end and still can. */
function withLastResort(members: readonly Member[]): readonly Member[] {
  if (members.some(({ state }) => state === "active")) return members;
  return members.map((member) => ({ ...member, state: "active" }));
}

function readEndpoints(
  slice: SliceObject,
  bad: Set<string>,
): readonly { readonly address: Address; readonly state: MemberState }[] {
  return slice.endpoints.flatMap((endpoint) => {
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

/**
 * Port numbers of a slice that belong to a Service port, sorted, none twice. Kubernetes writes the
 * Service port's name into the slice; slices written by hand often lack it, so target port and
 * number count too, but never of what is another port's by its name.
 */
function matchPorts(
  port: ServicePort,
  slicePorts: readonly SlicePort[],
  names: ReadonlySet<string>,
): readonly number[] {
  const target = port.targetPort === 0 ? undefined : port.targetPort;
  const isNumber = (slicePort: SlicePort): boolean =>
    typeof target !== "string" && slicePort.port === (target ?? port.port);
  const isName = ({ name }: SlicePort): boolean => name === port.name;
  const isOther = ({ name }: SlicePort): boolean => name !== port.name && names.has(name);
  const rules: readonly ((slicePort: SlicePort) => boolean)[] = [
    // Several ports without a name are told apart by their numbers alone.
    (slicePort) => isName(slicePort) && isNumber(slicePort),
    isName,
    (slicePort) => slicePort.name === target && !isOther(slicePort),
    (slicePort) => isNumber(slicePort) && !isOther(slicePort),
  ];
  const candidates = slicePorts.filter(({ protocol }) => protocol === port.protocol);
  for (const rule of rules) {
    const numbers = new Set(candidates.filter(rule).flatMap((match) => match.port ?? []));
    if (numbers.size > 0) return [...numbers].toSorted(compareNumber);
  }
  return [];
}
