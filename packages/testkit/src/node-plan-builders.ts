// Node plans for tests in one line each: lanes, VIPs and listeners by what an operator would say.
// A text that is no address or name is a mistake of the test and asserts.

import {
  type Address,
  type AgentName,
  type DeviceName,
  laneId,
  laneName,
  type LaneResource,
  listenerName,
  type ListenerResource,
  type Member,
  memberSetName,
  type MemberSetResource,
  type NodePlan,
  parseAddress,
  parseAgentName,
  parseClaimId,
  parseDeviceName,
  present,
  type Protocol,
  type Resource,
  vipName,
  type VipResource,
} from "@fairlead/model";
import type { AcceptedPlan } from "@fairlead/agent";
import { createRevisions } from "@fairlead/wire";

/** The address of a text that is one. */
export function address(text: string): Address {
  return present(parseAddress(text), `${text} is an address`);
}

/** The agent name of a text that is one. */
export function agentName(text: string): AgentName {
  return present(parseAgentName(text), `${text} is a name`);
}

/** The device of a text that is one. */
export function device(text: string): DeviceName {
  return present(parseDeviceName(text), `${text} is a device`);
}

/** A member `192.0.2.21:8080`, active, of weight 1. */
export function member(endpoint: string): Member {
  const colon = endpoint.lastIndexOf(":");
  return {
    address: address(endpoint.slice(0, colon)),
    port: Number(endpoint.slice(colon + 1)),
    weight: 1,
    state: "active",
  };
}

/** A lane of the segment 192.0.2.0/24 with these agents, `name=address`, holder first. */
export function laneOf(options: {
  readonly routerId: number;
  readonly order: readonly string[];
  readonly preempt?: boolean;
  readonly advertIntervalMs?: number;
  readonly segment?: string;
  readonly link?: string;
}): LaneResource {
  const segment = options.segment ?? "192.0.2.0/24";
  const lane = laneId(segment, options.routerId);
  return {
    kind: "lane",
    name: laneName(lane),
    lane,
    segment,
    routerId: options.routerId,
    link: device(options.link ?? "eth0"),
    order: options.order.map((peer) => {
      const [name = "", at = ""] = peer.split("=");
      return { agent: agentName(name), address: address(at) };
    }),
    preempt: options.preempt ?? true,
    advertIntervalMs: options.advertIntervalMs ?? 100,
  };
}

/** A VIP in a lane. */
export function vipOf(text: string, lane: LaneResource): VipResource {
  const at = address(text);
  return {
    kind: "vip",
    name: vipName(at),
    address: at,
    prefixLength: text.includes(":") ? 128 : 32,
    carrier: { kind: "lane", lane: lane.lane, resource: lane.name },
    claims: [],
  };
}

/** A VIP that the agent puts on `eth0` itself, or a host's own address that it adopts. */
export function deviceVipOf(
  text: string,
  options: { readonly adopts?: boolean } = {},
): VipResource {
  const at = address(text);
  const { adopts = false } = options;
  return {
    kind: "vip",
    name: vipName(at),
    address: at,
    prefixLength: text.includes(":") ? 64 : 24,
    carrier: { kind: "link", link: device("eth0"), adopts },
    claims: [],
  };
}

/** A listener `192.0.2.100:80/tcp` with its member set. */
export function listenerOf(
  endpoint: string,
  members: readonly string[],
  change: Partial<ListenerResource> = {},
): readonly [ListenerResource, MemberSetResource] {
  const [at = "", protocolText = "tcp"] = endpoint.split("/");
  const colon = at.lastIndexOf(":");
  const vip = address(at.slice(0, colon));
  const port = Number(at.slice(colon + 1));
  const protocol: Protocol = protocolText === "udp" ? "udp" : "tcp";
  const set = memberSetName(vip, protocol, port);
  return [
    {
      kind: "listener",
      name: listenerName(vip, protocol, port),
      address: vip,
      protocol,
      port,
      claim: present(parseClaimId("service/default/web"), "a claim"),
      members: set,
      balance: "round-robin",
      affinity: { kind: "none" },
      proxyProtocol: "none",
      acceptProxyProtocol: false,
      connectTimeoutMs: 1000,
      idleTimeoutMs: protocol === "udp" ? 20_000 : 600_000,
      drainTimeoutMs: 30_000,
      ...change,
    },
    { kind: "members", name: set, members: members.map(member) },
  ];
}

/** A plan of these resources for an agent, as the controller makes it. */
export function nodePlanOf(agent: AgentName, resources: readonly Resource[]): NodePlan {
  return { agent, resources: new Map(resources.map((one) => [one.name, one])), retained: [] };
}

/** VIPs 192.0.2.1 to .`count` in a lane, each with a listener on port 80 and one member. */
export function servicesIn(lane: LaneResource, count: number): readonly Resource[] {
  const vips = Array.from({ length: count }, (_, i) => vipOf(`192.0.2.${i + 1}`, lane));
  return vips.flatMap((vip) => [vip, ...listenerOf(`${vip.address}:80`, ["10.0.0.1:8080"])]);
}

/** A plan for the agent lb1, with this many Services of one port in its one lane. */
export function planOfServices(count: number): NodePlan {
  const lane = laneOf({ routerId: 51, order: ["lb1=192.0.2.11"] });
  return nodePlanOf(agentName("lb1"), [lane, ...servicesIn(lane, count)]);
}

/** A plan of these resources as an agent accepts it. */
export function acceptedPlan(
  agent: string,
  resources: readonly Resource[],
  epoch = 1,
): AcceptedPlan {
  const { revisionOf, planRevisionOf } = createRevisions();
  const plan = nodePlanOf(agentName(agent), resources);
  const revisions = new Map(resources.map((entry) => [entry.name, revisionOf(entry)]));
  return { plan, epoch, revision: planRevisionOf(revisions), revisions };
}
