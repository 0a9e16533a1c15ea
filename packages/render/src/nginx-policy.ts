// What a listener's policy is in nginx's words: sockets, balancing, limits, time-outs. The same
// wherever its members stand, in the file or in the kernel's table. Pure.

import { type Address, type ListenerResource, assert, familyOf } from "@fairlead/model";

import type { SlotFilling } from "./slots.ts";

/** A socket that a listener has. */
export interface ListenView {
  readonly endpoint: string;
  readonly listenFlags: readonly string[];
}

/** Directives of the server block of a listener. */
export interface PolicyView {
  /** Networks whose PROXY header is believed. */
  readonly trustedProxies: readonly string[];
  readonly connectionLimits: readonly { readonly zone: string; readonly connectionsMax: number }[];
  /** Directives that are switched on. */
  readonly switches: readonly string[];
  readonly connectTimeoutMs: number;
  readonly idleTimeoutMs: number;
}

/** How the servers of an upstream are chosen from. */
export interface BalancingView {
  /** At most one key, a list of variables whose values are hashed together. */
  readonly hashKeys: readonly (readonly string[])[];
  /** At most one balancing directive without arguments. */
  readonly methods: readonly string[];
}

/**
 * Longest silence of a UDP client before its session ends: sessions of a replaced generation end
 * by this alone, and each keeps a whole generation alive.
 */
const UDP_IDLE_TIMEOUT_MS_MAX = 20_000;
/**
 * Shared memory that counts connections by listener, where a listener has a limit. It is named
 * after its key in the template: a master keeps its zones over a reload, and refuses each file
 * whose zone of the same name counts by another key, as that of a release before may.
 */
export const LIMIT_ZONE = "protocol_server_addr_server_port";

/** The socket of a listener. */
export function listenView(listener: ListenerResource): ListenView {
  return {
    endpoint: endpoint(listener.address, listener.port),
    listenFlags: listenFlags(listener),
  };
}

/** Everything of a listener's server block but its sockets and its upstream. */
export function policyView(listener: ListenerResource): PolicyView {
  const tcp = listener.protocol === "tcp";
  const limit = listener.connectionsMax;
  return {
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
export function balancing(listener: ListenerResource): BalancingView {
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

/** How a listener's slots are filled: who hashes clients wants a slot to keep its member. */
export function slotFilling(listener: ListenerResource): SlotFilling {
  return balancing(listener).hashKeys.length > 0 ? "by-hash" : "in-turn";
}

/** `tcp-192.0.2.10-80`, `udp-2001-db8--1-53`: one a listener, the same in every file. */
export function upstreamName(listener: ListenerResource): string {
  return `${listener.protocol}-${listener.address.replaceAll(":", "-")}-${listener.port}`;
}

/** Address and port as nginx writes them. */
export function endpoint(address: Address, port: number): string {
  assert(port >= 1 && port <= 65_535, "a port is 1 to 65535");
  return familyOf(address) === "ipv4" ? `${address}:${port}` : `[${address}]:${port}`;
}
