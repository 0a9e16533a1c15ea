// Finds the members behind each port of a Service: endpoints of its slices, or nodes. Pure. What
// can never be a member is left out and named; it refuses nothing.

import { createHash } from "node:crypto";

import {
  type Address,
  type Family,
  type Member,
  type MemberState,
  compareAddress,
  compareBy,
  compareNumber,
  compareText,
  familyOf,
  parseAddress,
  scopeOf,
} from "@fairlead/model";

import type { NodeObject } from "./node-object.ts";
import { quote, quoteList } from "./quote.ts";
import type { RemarkList } from "./remarks.ts";
import type { ServiceObject, ServicePort } from "./service-object.ts";
import type { SliceEndpoint, SliceObject, SlicePort } from "./slice-object.ts";

/** Most members of one listener: the largest member table of a data path has as many slots. */
const MEMBERS_MAX = 1024;
/**
 * Most numbers that one slice may have for one port. In a cluster it is one, as a slice names each
 * port once; without a bound a slice by hand would multiply all its ports with all its endpoints.
 */
const NUMBERS_MAX = 16;
/** Label that keeps a node out of every load balancer, whatever its value. */
const EXCLUSION_LABEL = "node.kubernetes.io/exclude-from-external-load-balancers";
/** Kinds of node addresses in the order they are tried; a Hostname counts when it is an IP. */
const NODE_ADDRESS_TYPES: readonly string[] = ["ExternalIP", "InternalIP", "Hostname"];

/** Finds the members of one port. */
export type FindMembers = (port: ServicePort) => readonly Member[];

/** What members out of EndpointSlices depend on. */
export interface EndpointMemberOptions {
  readonly slices: readonly SliceObject[];
  /** `ADDRESS PORT` of API servers: whoever may write a slice must not reach them through us. */
  readonly apiServers?: ReadonlySet<string>;
}

/** Members out of the Service's EndpointSlices, all of them merged. */
export function endpointMembers(
  { slices, apiServers }: EndpointMemberOptions,
  remarks: RemarkList,
): FindMembers {
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
      const numbers = matchPorts(port, slice.ports);
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
    return sortMembers(found, port, remarks);
  };
}

/** A Service port in a detail: its name quoted, else its number. */
export function portWords(port: ServicePort): string {
  return port.name === "" ? `port ${port.port}` : `port ${quote(port.name)}`;
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

function endpointState({ ready, serving, terminating }: SliceEndpoint): MemberState | undefined {
  if (terminating) return serving ? "draining" : undefined;
  return ready ? "active" : undefined;
}

/**
 * Port numbers of a slice that belong to a Service port, sorted, none twice. Kubernetes writes the
 * Service port's name into the slice; slices written by hand often lack it, so target port and
 * number count too.
 */
function matchPorts(port: ServicePort, slicePorts: readonly SlicePort[]): readonly number[] {
  const target = port.targetPort === 0 ? undefined : port.targetPort;
  const isNumber = (slicePort: SlicePort): boolean =>
    typeof target !== "string" && slicePort.port === (target ?? port.port);
  const isName = ({ name }: SlicePort): boolean => name === port.name;
  const rules: readonly ((slicePort: SlicePort) => boolean)[] = [
    // Several ports without a name are told apart by their numbers alone.
    (slicePort) => isName(slicePort) && isNumber(slicePort),
    isName,
    ({ name }) => typeof target === "string" && name === target,
    isNumber,
  ];
  const candidates = slicePorts.filter(({ protocol }) => protocol === port.protocol);
  for (const rule of rules) {
    const numbers = new Set(candidates.filter(rule).flatMap((match) => match.port ?? []));
    if (numbers.size > 0) return [...numbers].toSorted(compareNumber);
  }
  return [];
}

/** What members out of nodes depend on. */
export interface NodeMemberOptions {
  readonly service: ServiceObject;
  /** Seeds the choice of a bounded subset: the claim's id. */
  readonly seed: string;
  readonly nodes: readonly NodeObject[];
  /** Labels that a node must carry. */
  readonly nodeSelector: Readonly<Record<string, string>>;
  /** Absent: all nodes. */
  readonly nodesMax?: number | undefined;
}

/** Members out of nodes: node address and NodePort. */
export function nodeMembers(options: NodeMemberOptions, remarks: RemarkList): FindMembers {
  const { service, nodesMax } = options;
  const families = (service.spec.ipFamilies ?? []).map((family): Family =>
    family === "IPv4" ? "ipv4" : "ipv6",
  );
  const eligible = options.nodes.filter((node) => isEligible(node, options.nodeSelector));
  const chosen = chooseNodes(eligible, { seed: options.seed, nodesMax });
  const bad = new Set<string>();
  const addresses = chosen.flatMap((node) => nodeAddresses(node, families, bad));
  if (bad.size > 0) {
    const named = quoteList([...bad].toSorted(compareText));
    remarks.remark("BadMember", `nodes without a usable address: ${named}`);
  }
  return (port) => {
    const { nodePort } = port;
    if (nodePort !== undefined) {
      const members = addresses.map((address): Member => {
        return { address, port: nodePort, weight: 1, state: "active" };
      });
      return sortMembers(members, port, remarks);
    }
    const isOff = service.spec.allocateLoadBalancerNodePorts === false;
    const why = isOff ? ", as allocateLoadBalancerNodePorts is false" : "";
    remarks.remark("NoNodePort", `${portWords(port)} has no nodePort${why}`);
    return [];
  };
}

function isEligible(node: NodeObject, selector: Readonly<Record<string, string>>): boolean {
  const labels = node.metadata.labels ?? {};
  if (!node.ready || Object.hasOwn(labels, EXCLUSION_LABEL)) return false;
  return Object.entries(selector).every(
    ([key, value]) => Object.hasOwn(labels, key) && labels[key] === value,
  );
}

/** Rendezvous hashing: a node that goes is replaced by one other, and nothing else moves. */
function chooseNodes(
  nodes: readonly NodeObject[],
  { seed, nodesMax }: { readonly seed: string; readonly nodesMax?: number | undefined },
): readonly NodeObject[] {
  if (nodesMax === undefined || nodes.length <= nodesMax) return nodes;
  return nodes
    .map((node) => ({ node, score: scoreOf(seed, node.metadata.name) }))
    .toSorted((a, b) => compareText(b.score, a.score))
    .slice(0, nodesMax)
    .map(({ node }) => node);
}

function scoreOf(seed: string, name: string): string {
  return createHash("sha256").update(`${seed}\n${name}`).digest("hex");
}

/** One address of each wanted family, or the first usable one when no family is named. */
function nodeAddresses(
  node: NodeObject,
  families: readonly Family[],
  bad: Set<string>,
): readonly Address[] {
  const usable = NODE_ADDRESS_TYPES.flatMap((type) =>
    node.addresses.flatMap((entry) => {
      const address = entry.type === type ? parseAddress(entry.address) : undefined;
      return address !== undefined && scopeOf(address) === "unicast" ? [address] : [];
    }),
  );
  const chosen =
    families.length === 0
      ? usable.slice(0, 1)
      : families.flatMap((family) => usable.find((each) => familyOf(each) === family) ?? []);
  if (chosen.length === 0) bad.add(node.metadata.name);
  return chosen;
}

/**
 * Sorted by address and port, none twice; an active one wins over the same one draining, and
 * draining ones go first where there are too many.
 */
function sortMembers(
  members: readonly Member[],
  port: ServicePort,
  remarks: RemarkList,
): readonly Member[] {
  const byKey = new Map<string, Member>();
  for (const member of members) {
    const key = `${member.address} ${member.port}`;
    if (byKey.get(key)?.state !== "active") byKey.set(key, member);
  }
  const sorted = [...byKey.values()].toSorted(byPlace);
  const left = sorted.length - MEMBERS_MAX;
  if (left <= 0) return sorted;
  remarks.remark("BadMember", `${portWords(port)}: ${left} members above ${MEMBERS_MAX} left out`);
  return sorted.toSorted(activeFirst).slice(0, MEMBERS_MAX).toSorted(byPlace);
}

const byPlace = compareBy<Member>(
  (a, b) => compareAddress(a.address, b.address),
  (a, b) => compareNumber(a.port, b.port),
);

/** Sorting keeps the order of those that are equal. */
function activeFirst(a: Member, b: Member): number {
  return Number(b.state === "active") - Number(a.state === "active");
}
