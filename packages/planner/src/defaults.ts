// What a listener gets where its claim says nothing. Values in ms, chosen here and nowhere else.

import type { Protocol } from "@fairlead/model";

/** How long a member may take to accept a connection, in ms: one lost SYN and its repeat. */
export const CONNECT_TIMEOUT_MS = 5000;
/** How long a TCP connection may be silent, in ms: what firewalls commonly allow at least. */
export const IDLE_TIMEOUT_TCP_MS = 600_000;
/** How long a UDP exchange may be silent, in ms: 10 to 30 s, beyond which sessions pile up. */
export const IDLE_TIMEOUT_UDP_MS = 20_000;
/** How long a removed member keeps its old connections, in ms. */
export const DRAIN_TIMEOUT_MS = 30_000;

/** The default idle time-out of a protocol, in ms. */
export function idleTimeoutMs(protocol: Protocol): number {
  return protocol === "tcp" ? IDLE_TIMEOUT_TCP_MS : IDLE_TIMEOUT_UDP_MS;
}
