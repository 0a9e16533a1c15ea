// Every decision about nginx.conf: which listeners, how members are chosen, which limits. Flat,
// sorted and checked, so that the template only loops. It is given resources, never text.

import {
  type Address,
  type ListenerResource,
  type Member,
  assert,
  compareAddress,
  compareBy,
  compareNumber,
  compareText,
  familyOf,
  present,
} from "@fairlead/model";
import type { NginxInput } from "./nginx-input.ts";

/** A member as the template writes it. */
export interface MemberView {
  readonly endpoint: string;
  readonly weight: number;
  /** `down` for a draining member: no new connections. */
  readonly flags: readonly string[];
}

/** A listener without an active member: every connection is closed at once. */
export interface RefusingView {
  readonly endpoint: string;
  readonly listenFlags: readonly string[];
}

/** A listener with its members. */
export interface ProxiedView extends RefusingView {
  readonly upstream: string;
  /** At most one key, a list of variables whose values are hashed together. */
  readonly hashKeys: readonly (readonly string[])[];
  /** At most one balancing directive without arguments. */
  readonly methods: readonly string[];
  readonly members: readonly MemberView[];
  /** Networks whose PROXY header is believed. */
  readonly trustedProxies: readonly string[];
  readonly connectionLimits: readonly { readonly zone: string; readonly connectionsMax: number }[];
  /** Directives that are switched on. */
  readonly switches: readonly string[];
  readonly connectTimeoutMs: number;
  readonly idleTimeoutMs: number;
}

/** All of nginx.conf. */
export interface NginxView {
  readonly streamModule: string;
  readonly pidFile: string;
  readonly errorLog: string;
  readonly users: readonly string[];
  readonly workerProcesses: number;
  readonly workerConnections: number;
  readonly openFilesMax: number;
  readonly shutdownTimeoutMs: number;
  readonly limitZones: readonly string[];
  readonly probeSocket: string;
  readonly generation: string;
  readonly proxied: readonly ProxiedView[];
  readonly refusing: readonly RefusingView[];
}

/**
 * Longest silence of a UDP client before its session ends: sessions of a replaced generation end
 * by this alone, and each keeps a whole generation alive.
 */
const UDP_IDLE_TIMEOUT_MS_MAX = 20_000;
/** Shared memory that counts connections by listener, where a listener has a limit. */
const LIMIT_ZONE = "listeners";
/** Longest path of a unix socket (unix(7): 108 with its NUL). */
const SOCKET_PATH_LENGTH_MAX = 107;

/** Decides everything that nginx.conf says. A plan that breaks its own rules asserts. */
export function nginxView(input: NginxInput): NginxView {
  const { paths, ...limits } = input.settings;
  assert(paths.probeSocket.length <= SOCKET_PATH_LENGTH_MAX, "the probe socket's path fits");
  const listeners = input.listeners.toSorted(compareListener);
  const names = new Set(listeners.map(upstreamName));
  assert(names.size === listeners.length, "no listener twice");
  const proxied: ProxiedView[] = [];
  const refusing: RefusingView[] = [];
  for (const listener of listeners) {
    const { members } = present(input.memberSets.get(listener.members), "members in the plan");
    const served = members.some((member) => member.state === "active");
    if (served) proxied.push(proxiedView(listener, members));
    else refusing.push(refusingView(listener));
  }
  return {
    streamModule: paths.streamModule,
    pidFile: paths.pid,
    errorLog: paths.errorLog,
    users: limits.user === undefined ? [] : [limits.user],
    workerProcesses: limits.workerProcesses,
    workerConnections: limits.workerConnections,
    openFilesMax: limits.openFilesMax,
    shutdownTimeoutMs: limits.shutdownTimeoutMs,
    limitZones: proxied.some((view) => view.connectionLimits.length > 0) ? [LIMIT_ZONE] : [],
    probeSocket: paths.probeSocket,
    generation: input.generation,
    proxied,
    refusing,
  };
}

const compareListener = compareBy<ListenerResource>(
  (a, b) => compareAddress(a.address, b.address),
  (a, b) => compareText(a.protocol, b.protocol),
  (a, b) => compareNumber(a.port, b.port),
);

const compareMember = compareBy<Member>(
  (a, b) => compareAddress(a.address, b.address),
  (a, b) => compareNumber(a.port, b.port),
);

function refusingView(listener: ListenerResource): RefusingView {
  return {
    endpoint: endpoint(listener.address, listener.port),
    listenFlags: listenFlags(listener),
  };
}

function proxiedView(listener: ListenerResource, members: readonly Member[]): ProxiedView {
  const tcp = listener.protocol === "tcp";
  const limit = listener.connectionsMax;
  return {
    ...refusingView(listener),
    upstream: upstreamName(listener),
    ...balancing(listener),
    members: members.toSorted(compareMember).map(memberView),
    // Whoever may connect may say who it is: the wish to accept PROXY headers means just that.
    trustedProxies: tcp && listener.acceptProxyProtocol ? ["0.0.0.0/0", "::/0"] : [],
    connectionLimits: limit === undefined ? [] : [{ zone: LIMIT_ZONE, connectionsMax: limit }],
    switches: tcp && listener.proxyProtocol === "v1" ? ["proxy_protocol"] : [],
    connectTimeoutMs: listener.connectTimeoutMs,
    idleTimeoutMs: tcp
      ? listener.idleTimeoutMs
      : Math.min(listener.idleTimeoutMs, UDP_IDLE_TIMEOUT_MS_MAX),
  };
}

/**
 * TCP sockets are shared by all workers: with a socket a worker, connections are reset whenever
 * one closes. UDP is the opposite: without a socket a worker, any worker takes any datagram and
 * one client is answered by two members.
 */
function listenFlags(listener: ListenerResource): string[] {
  if (listener.protocol === "udp") return ["udp", "reuseport"];
  return listener.acceptProxyProtocol ? ["proxy_protocol"] : [];
}

/** UDP always hashes: else every reload deals all clients anew. */
function balancing(listener: ListenerResource): Pick<ProxiedView, "hashKeys" | "methods"> {
  if (listener.affinity.kind === "client-ip" || listener.balance === "hash") {
    return { hashKeys: [["remote_addr"]], methods: [] };
  }
  if (listener.protocol === "udp") {
    return { hashKeys: [["remote_addr", "remote_port"]], methods: [] };
  }
  if (listener.balance === "least-conn") return { hashKeys: [], methods: ["least_conn"] };
  if (listener.balance === "random") return { hashKeys: [], methods: ["random"] };
  return { hashKeys: [], methods: [] };
}

function memberView(member: Member): MemberView {
  return {
    endpoint: endpoint(member.address, member.port),
    weight: member.weight,
    flags: member.state === "draining" ? ["down"] : [],
  };
}

/** `tcp-192.0.2.10-80`, `udp-2001-db8--1-53`: one a listener, the same in every file. */
function upstreamName(listener: ListenerResource): string {
  return `${listener.protocol}-${listener.address.replaceAll(":", "-")}-${listener.port}`;
}

function endpoint(address: Address, port: number): string {
  assert(port >= 1 && port <= 65_535, "a port is 1 to 65535");
  return familyOf(address) === "ipv4" ? `${address}:${port}` : `[${address}]:${port}`;
}
