// Finds the members behind each port of a Service where they are nodes, with its NodePort. Pure.
// What can never be a member is left out and named; it refuses nothing.

import { createHash } from "node:crypto";

import {
  type Address,
  type Family,
  compareText,
  familyOf,
  parseAddress,
  scopeOf,
} from "@fairlead/model";

import { type FindMembers, membersAt, portWords, sortPlaces } from "./find-members.ts";
import type { NodeObject, NodeSelector } from "./node-object.ts";
import { quoteList, title } from "./quote.ts";
import type { RemarkList } from "./remarks.ts";
import type { ServiceObject } from "./service-object.ts";

/** Label that keeps a node out of every load balancer, whatever its value. */
const EXCLUSION_LABEL = "node.kubernetes.io/exclude-from-external-load-balancers";
/** Kinds of node addresses in the order they are tried; a Hostname counts when it is an IP. */
const NODE_ADDRESS_TYPES: readonly string[] = ["ExternalIP", "InternalIP", "Hostname"];

/** What members out of nodes depend on. */
export interface NodeMemberOptions {
  /** The Service that has the NodePorts. */
  readonly service: ServiceObject;
  /** Families that are wished for where the Service says none. */
  readonly familiesWished?: readonly ("IPv4" | "IPv6")[] | undefined;
  /** Seeds the choice of a bounded subset: the claim's id. */
  readonly seed: string;
  readonly nodes: readonly NodeObject[];
  /** Labels that a node must carry. */
  readonly nodeSelector: NodeSelector;
  /** Absent: all nodes. */
  readonly nodesMax?: number | undefined;
}

/** Members out of nodes: node address and NodePort. */
export function nodeMembers(options: NodeMemberOptions, remarks: RemarkList): FindMembers {
  const { service, nodesMax } = options;
  // kube-proxy takes a Service's NodePort in its own families alone.
  const families = (service.spec.ipFamilies ?? options.familiesWished ?? []).map((family): Family =>
    family === "IPv4" ? "ipv4" : "ipv6",
  );
  const eligible = eligibleNodes(options, remarks);
  const chosen = chooseNodes(eligible, { seed: options.seed, nodesMax });
  const bad = new Set<string>();
  const addresses = chosen.flatMap((node) => nodeAddresses(node, families, bad));
  if (bad.size > 0) {
    const named = quoteList([...bad].toSorted(compareText));
    remarks.remark("BadMember", `nodes without a usable address: ${named}`);
  }
  const places = sortPlaces(addresses.map((address) => ({ address, state: "active", ports: 0 })));
  return (port) => {
    const { nodePort } = port;
    if (nodePort !== undefined) return membersAt(places, { port, numbers: [[nodePort]] }, remarks);
    const isOff = service.spec.allocateLoadBalancerNodePorts === false;
    const why = isOff ? ", as allocateLoadBalancerNodePorts is false" : "";
    remarks.remark("NoNodePort", `${portWords(port)} has no nodePort${why}`);
    return [];
  };
}

/** Those that may be members; where there is none, what keeps them away is told. */
function eligibleNodes(
  { nodes, nodeSelector }: NodeMemberOptions,
  remarks: RemarkList,
): readonly NodeObject[] {
  const none = (why: string): readonly NodeObject[] => {
    remarks.remark("NoMembers", why);
    return [];
  };
  if (nodes.length === 0) return none("there is no node");
  const ready = nodes.filter((node) => node.ready);
  if (ready.length === 0) return none("no node is Ready");
  const selected = ready.filter((node) => isSelected(node, nodeSelector));
  const wanted = `--node-selector ${selectorText(nodeSelector)}`;
  if (selected.length === 0) {
    return none(`no Ready node matches ${wanted}; label one, or correct it`);
  }
  const eligible = selected.filter(
    ({ metadata }) => !Object.hasOwn(metadata.labels ?? {}, EXCLUSION_LABEL),
  );
  if (eligible.length > 0) return eligible;
  const which = Object.keys(nodeSelector).length === 0 ? "" : ` that matches ${wanted}`;
  return none(`every Ready node${which} has the label ${EXCLUSION_LABEL}; remove it from one`);
}

function isSelected({ metadata }: NodeObject, selector: NodeSelector): boolean {
  const labels = metadata.labels ?? {};
  return Object.entries(selector).every(
    ([key, value]) => Object.hasOwn(labels, key) && (value ?? labels[key]) === labels[key],
  );
}

/** As it is written on the command line. */
function selectorText(selector: NodeSelector): string {
  const parts = Object.entries(selector).map(([key, value]) =>
    value === undefined ? key : `${key}=${value}`,
  );
  return title(parts.join(","));
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
