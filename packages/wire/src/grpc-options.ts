// The options of every gRPC channel and server of ours, and the seam for credentials. The numbers
// are what grpc-js needs on long streams; nothing else in the project sets such options.

import { type ChannelOptions, ChannelCredentials, ServerCredentials } from "@grpc/grpc-js";

/**
 * Who may speak on a connection. `insecure`: anybody, in clear text; programs allow it only where
 * the operator asked for it.
 */
export interface Credentials {
  readonly kind: "insecure";
}

/** An update is cut at about this size, and what is left follows as the next one. */
export const UPDATE_BYTES_MAX: number = 4 * 1024 * 1024;

/**
 * Largest message that either side takes. One resource alone may pass the size at which updates are
 * cut, hence the room above it.
 */
export const MESSAGE_BYTES_MAX: number = 4 * UPDATE_BYTES_MAX;

/** A ping after this silence on the connection. */
const KEEPALIVE_MS = 10_000;
/** A connection whose ping is not answered within this is dead. */
const KEEPALIVE_TIMEOUT_MS = 5_000;
/** HTTP/2's default of 64 KiB makes large plans wait for round trips. */
const FLOW_CONTROL_WINDOW_BYTES = 1024 * 1024;
/** Reconnecting is our own business; grpc-js shall not sit out its 2 minutes between tries. */
const RECONNECT_MS_MAX = 1_000;

/** Options for clients of long streams and of calls. */
export function channelOptions(): ChannelOptions {
  return {
    ...sharedOptions(),
    // The retry layer keeps what a stream ever wrote in memory.
    "grpc.enable_retries": 0,
    "grpc.initial_reconnect_backoff_ms": 100,
    "grpc.min_reconnect_backoff_ms": 100,
    "grpc.max_reconnect_backoff_ms": RECONNECT_MS_MAX,
    "grpc-node.flow_control_window": FLOW_CONTROL_WINDOW_BYTES,
    // Two programs of one process (fairlead run, tests) must not share a connection's fate.
    "grpc.use_local_subchannel_pool": 1,
    // Proxies of the environment are for the outside; agents and controller speak directly.
    "grpc.enable_http_proxy": 0,
  };
}

/** Options for servers. */
export function serverOptions(): ChannelOptions {
  return {
    ...sharedOptions(),
    // Clients ping every KEEPALIVE_MS; the default of 5 minutes would end them for it.
    "grpc.http2.min_ping_interval_without_data_ms": KEEPALIVE_TIMEOUT_MS,
  };
}

/** What a server listens with. */
export function serverCredentials(credentials: Credentials): ServerCredentials {
  switch (credentials.kind) {
    case "insecure":
      return ServerCredentials.createInsecure();
  }
}

/** What a client connects with. */
export function channelCredentials(credentials: Credentials): ChannelCredentials {
  switch (credentials.kind) {
    case "insecure":
      return ChannelCredentials.createInsecure();
  }
}

function sharedOptions(): ChannelOptions {
  return {
    "grpc.keepalive_time_ms": KEEPALIVE_MS,
    "grpc.keepalive_timeout_ms": KEEPALIVE_TIMEOUT_MS,
    "grpc.keepalive_permit_without_calls": 1,
    "grpc.max_receive_message_length": MESSAGE_BYTES_MAX,
    "grpc.max_send_message_length": MESSAGE_BYTES_MAX,
  };
}
