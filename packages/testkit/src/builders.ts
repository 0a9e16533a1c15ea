// Worlds for tests in a few lines: claims, pools and agents by what an operator would say. Given
// plain options; everything left out is the usual.

import {
  type AddressPool,
  type AgentReport,
  type AgentView,
  type Claim,
  type ClaimListener,
  type Link,
  type Plan,
  type Prefix,
  type World,
  claimId,
  parsePoolName,
  parsePrefix,
  parseRange,
  present,
} from "@fairlead/model";

import { address, agentName, device, member } from "./node-plan-builders.ts";

/** What makes a claim; the rest is a TCP Service on port 80 with one member. */
export interface ClaimOptions extends Partial<
  Omit<Claim, "id" | "kind" | "name" | "namespace" | "listeners" | "wishedAddresses" | "wishedPool">
> {
  /** `tcp/80`, `udp/53`; sorted by the caller. Default `tcp/80`. */
  readonly ports?: readonly string[];
  /** Members of every listener, `10.1.0.1:8080`. Default one. */
  readonly members?: readonly string[];
  readonly wishes?: readonly string[];
  readonly wishedPool?: string;
}

/** The claim of the Service `namespace/name`, `default` when there is no slash. */
export function makeClaim(title: string, options: ClaimOptions = {}): Claim {
  const [first = "", second] = title.split("/");
  const [namespace, name] = second === undefined ? ["default", first] : [first, second];
  const { ports = ["tcp/80"], members = ["10.1.0.1:8080"], wishes = [], ...rest } = options;
  const { wishedPool, ...fields } = rest;
  const endpoints = members.map(member);
  return {
    id: present(claimId("service", namespace, name), `${title} is a claim's name`),
    kind: "service",
    namespace,
    name,
    uid: `uid-${namespace}-${name}`,
    generation: 1,
    createdAtMs: 1000,
    origin: "services.yaml",
    labels: {},
    listeners: ports.map((port) => listener(port, endpoints)),
    wishedAddresses: wishes.map(address),
    ...(wishedPool === undefined ? {} : { wishedPool: poolName(wishedPool) }),
    families: { policy: "SingleStack", families: [] },
    policy: {
      balance: "round-robin",
      affinity: { kind: "none" },
      externalTraffic: "cluster",
      sourceRanges: [],
      proxyProtocol: "none",
      acceptProxyProtocol: false,
    },
    refusals: [],
    remarks: [],
    ...fields,
  };
}

/** A pool; several ranges are separated by commas. */
export function makePool(
  name: string,
  ranges: string,
  options: Partial<Omit<AddressPool, "name" | "ranges">> = {},
): AddressPool {
  return {
    name: poolName(name),
    origin: "--pool",
    createdAtMs: 1000,
    ranges: makeRanges(ranges),
    mode: "vrrp",
    autoAssign: true,
    avoidBuggyIPs: false,
    reserved: [],
    sharing: "ports",
    quarantineMs: 60_000,
    onShrink: "keep",
    priority: 0,
    namespaces: [],
    serviceSelector: { matchLabels: {}, matchExpressions: [] },
    agents: [],
    ...options,
  };
}

/** Ranges of a text such as `192.0.2.10-192.0.2.50, 2001:db8::/120`. */
export function makeRanges(text: string): AddressPool["ranges"] {
  return text.split(",").map((part) => {
    const parsed = parseRange(part);
    if (parsed.kind === "bad") throw new RangeError(`${part}: ${parsed.problem}`);
    return parsed.value;
  });
}

/** What makes an agent; it is connected and has not reported. */
export interface AgentOptions {
  /** Prefixes of its one link `eth0`, which is primary. */
  readonly prefixes?: readonly string[];
  /** Its links, instead of that one. */
  readonly links?: readonly Link[];
  /** When it was last heard. Default 1 000 000. */
  readonly heardAtMs?: number;
  /** When its stream closed; connected when absent. */
  readonly goneAtMs?: number;
  readonly report?: AgentReport;
}

/** An agent that is known to the controller. */
export function makeAgent(name: string, options: AgentOptions = {}): AgentView {
  const { prefixes = ["192.0.2.11/24"], goneAtMs, report } = options;
  const agent = agentName(name);
  const links = options.links ?? [makeLink("eth0", prefixes)];
  const hello = {
    agent,
    bootId: `boot-${name}`,
    version: "0.1.0",
    capabilities: ["vrrp", "nginx-stream", "ipv6", "host-addresses"] as const,
    links,
    epoch: 0,
  };
  return {
    name: agent,
    connected: goneAtMs === undefined,
    heardAtMs: goneAtMs ?? options.heardAtMs ?? 1_000_000,
    ...(goneAtMs === undefined ? {} : { disconnectedAtMs: goneAtMs }),
    hello,
    ...(report === undefined ? {} : { report }),
    heldSinceMs: new Map(),
  };
}

/** A link that is up, and primary unless told otherwise. */
export function makeLink(
  name: string,
  prefixes: readonly string[],
  options: { readonly up?: boolean; readonly primary?: boolean } = {},
): Link {
  const { up = true, primary = true } = options;
  return {
    name: device(name),
    mac: "02:00:00:00:00:01",
    up,
    primary,
    prefixes: prefixes.map(prefix),
  };
}

/** So many agents `lb-1`, `lb-2`, ... with addresses from 192.0.2.11/24 on. */
export function makeAgents(count: number): readonly AgentView[] {
  return Array.from({ length: count }, (_, i) =>
    makeAgent(`lb-${i + 1}`, { prefixes: [`192.0.2.${i + 11}/24`] }),
  );
}

/** The agent, which can tell whom of its lanes it hears. */
export function withHearing(agent: AgentView): AgentView {
  const { hello } = agent;
  return { ...agent, hello: { ...hello, capabilities: [...hello.capabilities, "hearing"] } };
}

/** What makes a world; lists become its maps. */
export interface WorldOptions extends Partial<Omit<World, "claims" | "agents" | "absent">> {
  readonly claims?: readonly Claim[];
  readonly agents?: readonly AgentView[];
  readonly absent?: readonly Claim[];
}

/** A world. By default one pool 192.0.2.100-192.0.2.199, three agents, no claim. */
export function makeWorld(options: WorldOptions = {}): World {
  const { claims = [], agents = makeAgents(3), absent = [], ...rest } = options;
  return {
    nowMs: 1_000_000,
    settings: { advertIntervalMs: 100, reservedRouterIds: [], staleAfterMs: 60_000 },
    pools: [makePool("default", "192.0.2.100-192.0.2.199")],
    leases: new Map(),
    lanes: new Map(),
    intents: [],
    ...rest,
    claims: new Map(claims.map((claim) => [claim.id, claim])),
    absent: new Set(absent.map((claim) => claim.id)),
    agents: new Map(agents.map((agent) => [agent.name, agent])),
  };
}

/** The world after the plan was stored, with some of it changed. */
export function nextWorld(world: World, plan: Plan, changes: WorldOptions = {}): World {
  const { claims, agents, absent, ...rest } = changes;
  return {
    ...world,
    leases: plan.leases,
    lanes: plan.lanes,
    intents: plan.intents,
    ...rest,
    ...(claims === undefined ? {} : { claims: new Map(claims.map((one) => [one.id, one])) }),
    ...(agents === undefined ? {} : { agents: new Map(agents.map((one) => [one.name, one])) }),
    ...(absent === undefined ? {} : { absent: new Set(absent.map((one) => one.id)) }),
  };
}

function listener(text: string, members: ClaimListener["members"]): ClaimListener {
  const [protocol, port] = text.split("/");
  return { name: "", protocol: protocol === "udp" ? "udp" : "tcp", port: Number(port), members };
}

function poolName(text: string): AddressPool["name"] {
  return present(parsePoolName(text), `${text} is a pool's name`);
}

function prefix(text: string): Prefix {
  const parsed = parsePrefix(text);
  if (parsed.kind === "bad") throw new RangeError(`${text}: ${parsed.problem}`);
  return parsed.value;
}
