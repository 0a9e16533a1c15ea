// A Service with its EndpointSlices and Nodes becomes a claim. Pure: equal input gives equal
// output, whatever its order. Nothing of Kubernetes' own types leaves; whatever is wrong with the
// Service stands in the claim's refusals and remarks, and nothing throws.

import {
  type Address,
  type Claim,
  claimId,
  type ClaimListener,
  compareBy,
  compareNumber,
  compareText,
  type FamilyWish,
  isLabel,
  portText,
  present,
  type Protocol,
} from "@fairlead/model";

import { asksForUs } from "./asks-for-us.ts";
import { type FindMembers, portWords } from "./find-members.ts";
import { remarkLocalTraffic } from "./local-traffic.ts";
import { nodeMembers } from "./node-members.ts";
import type { NodeObject, NodeSelector } from "./node-object.ts";
import type { ObjectIdentity } from "./objects.ts";
import { quote } from "./quote.ts";
import { type RemarkList, createRemarkList } from "./remarks.ts";
import { endpointMembers } from "./service-members.ts";
import type { ServiceObject, ServicePort } from "./service-object.ts";
import { readPolicy } from "./service-policy.ts";
import { readSwitch, readWishes } from "./service-wishes.ts";
import type { SliceObject } from "./slice-object.ts";

/** Most ports of one claim. */
const PORTS_MAX = 100;

/** Settings of an install that decide what is ours and who the members are. */
export interface TranslateSettings {
  /** Whether Services without a class are ours: `--default-class`. */
  readonly defaultClass: boolean;
  /** Classes that are ours: `fairlead.io/agents`. */
  readonly classes: readonly string[];
  readonly members: "endpoints" | "nodes";
  /** Labels that a node must carry to be a member; empty: none. */
  readonly nodeSelector: NodeSelector;
  /** The name under which we write `status.loadBalancer`. */
  readonly ownFieldManager: string;
  /**
   * Whether other controllers may see the same objects, as in a cluster: a class of theirs is none
   * of our business there. A folder is read by nobody else, so that such a class is a mistake.
   */
  readonly isShared: boolean;
  /** Whether addresses stand in `spec.externalIPs` where a Service says nothing. Default false. */
  readonly writesExternalIPs?: boolean;
}

/** A Service with everything its claim is made of. */
export interface TranslateInput {
  readonly identity: ObjectIdentity;
  readonly uid: string;
  readonly createdAtMs?: number | undefined;
  /** Where it stands, for people; escaped. */
  readonly origin: string;
  readonly service: ServiceObject;
  /** The Service whose members these are, where it is another one. */
  readonly behind?: ServiceObject;
  /** The slices that name this Service. */
  readonly slices: readonly SliceObject[];
  /** All nodes; not looked at when members are endpoints. */
  readonly nodes: readonly NodeObject[];
  /** What its status says, as far as we wrote it; none by default. */
  readonly statusAddresses?: readonly Address[];
  /** Where API servers listen, as `ADDRESS PORT`: never members of what others wrote. */
  readonly apiServers?: ReadonlySet<string>;
}

/** The claim of a Service; undefined when it asks for nothing of us. */
export function translateService(
  input: TranslateInput,
  settings: TranslateSettings,
): Claim | undefined {
  const { service, behind = service, identity, statusAddresses = [] } = input;
  const remarks = createRemarkList();
  if (!asksForUs(service, settings, remarks)) return undefined;
  const { namespace, name } = identity;
  const id = present(claimId("service", namespace, name), "an identity has checked names");
  const wishes = readWishes(service, remarks);
  const { policy, nodesMax } = readPolicy(service, remarks);
  remarkLocalTraffic({ service, behind, members: settings.members }, remarks);
  const findMembers =
    settings.members === "endpoints"
      ? endpointMembers({ ...input, ports: behind.spec.ports }, remarks)
      : nodeMembers(
          {
            service: behind,
            familiesWished: service.spec.ipFamilies,
            seed: id,
            nodes: input.nodes,
            nodeSelector: settings.nodeSelector,
            nodesMax,
          },
          remarks,
        );
  const { sourceRanges, ...asked } = wishes;
  const listeners = readListeners(service.spec.ports, findMembers, remarks);
  return {
    id,
    kind: "service",
    namespace,
    name,
    uid: input.uid,
    generation: service.metadata.generation ?? 0,
    ...(input.createdAtMs === undefined ? {} : { createdAtMs: input.createdAtMs }),
    origin: input.origin,
    labels: sortedRecord(service.metadata.labels ?? {}),
    listeners,
    ...asked,
    ...(statusAddresses.length === 0 ? {} : { statusAddresses }),
    families: readFamilies(service, remarks),
    policy: { ...policy, sourceRanges },
    ...readExternalIPs(service, settings, remarks),
    ...remarks.result(),
  };
}

/**
 * Whether two claims ask for the same. Cheap for a claim compared with itself. What their status
 * says is no matter: we write it, and need it only when a lead begins.
 */
export function claimsEqual(a: Claim, b: Claim): boolean {
  return a === b || (textOf(a) === textOf(b) && sameMembers(a, b));
}

/** The claim with what its status says now; the same one where it says that already. */
export function withStatus(claim: Claim, addresses: readonly Address[]): Claim {
  const { statusAddresses: before = [], ...rest } = claim;
  if (addresses.join() === before.join()) return claim;
  return addresses.length === 0 ? rest : { ...rest, statusAddresses: addresses };
}

/**
 * A claim without its members: of those there may be a hundred thousand. Claims are built with
 * their fields in one order and everything in them sorted.
 */
function textOf(claim: Claim): string {
  const listeners = claim.listeners.map(({ members, ...rest }) => [rest, members.length]);
  return JSON.stringify({ ...claim, statusAddresses: undefined, listeners });
}

/** Of claims that have the same listeners with as many members each. */
function sameMembers(a: Claim, b: Claim): boolean {
  return a.listeners.every(({ members }, index) => {
    const others = b.listeners[index]?.members;
    return members.every((member, at) => {
      const other = others?.[at];
      return (
        member.address === other?.address &&
        member.port === other.port &&
        member.weight === other.weight &&
        member.state === other.state
      );
    });
  });
}

function readListeners(
  ports: readonly ServicePort[],
  findMembers: FindMembers,
  remarks: RemarkList,
): readonly ClaimListener[] {
  if (ports.length === 0) remarks.refuse("NoPorts", "spec.ports is empty");
  if (ports.length > PORTS_MAX) {
    remarks.refuse("TooManyPorts", `${ports.length} ports; a claim has at most ${PORTS_MAX}`);
    return [];
  }
  const seen = new Map<string, ClaimListener>();
  for (const port of ports) {
    const protocol = readProtocol(port, remarks);
    if (protocol === undefined) continue;
    const key = `${protocol} ${port.port}`;
    if (seen.has(key)) {
      remarks.refuse("DuplicatePort", `${portText(port)} stands there twice`);
      continue;
    }
    const isNamed = port.name === "" || isLabel(port.name);
    if (!isNamed) remarks.refuse("BadName", `spec.ports: ${quote(port.name)} is no port name`);
    const name = isNamed ? port.name : "";
    seen.set(key, { name, protocol, port: port.port, members: findMembers(port) });
  }
  return [...seen.values()].toSorted(
    compareBy<ClaimListener>(
      (a, b) => compareText(a.protocol, b.protocol),
      (a, b) => compareNumber(a.port, b.port),
    ),
  );
}

function readProtocol(port: ServicePort, remarks: RemarkList): Protocol | undefined {
  if (port.protocol === "TCP") return "tcp";
  if (port.protocol === "UDP") return "udp";
  remarks.refuse("UnsupportedProtocol", `${portWords(port)} is ${quote(port.protocol)}`);
  return undefined;
}

function readFamilies({ spec }: ServiceObject, remarks: RemarkList): FamilyWish {
  const families = (spec.ipFamilies ?? []).map((family) => (family === "IPv4" ? "ipv4" : "ipv6"));
  const unique = [...new Set(families)];
  if (unique.length < families.length) {
    remarks.refuse("BadField", "spec.ipFamilies names a family twice");
  }
  return { policy: spec.ipFamilyPolicy ?? "SingleStack", families: unique };
}

/** A folder has no Service to write to, and nobody there would read it. */
function readExternalIPs(
  { metadata }: ServiceObject,
  { isShared, writesExternalIPs = false }: TranslateSettings,
  remarks: RemarkList,
): Pick<Claim, "writesExternalIPs"> {
  const said = readSwitch("external-ips", metadata, remarks);
  if (said !== undefined && !isShared) {
    remarks.remark("PolicyNotServed", `${said.place} is not served for manifests`);
  } else if (said !== undefined && said.isOn === undefined) {
    remarks.remark("BadField", `${said.problem}; it is left out`);
  }
  const isWished = said?.isOn ?? writesExternalIPs;
  return isWished && isShared ? { writesExternalIPs: true } : {};
}

function sortedRecord(record: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(record).toSorted(([a], [b]) => compareText(a, b)));
}
