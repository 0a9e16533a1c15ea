// Sends messages of our own making to the kernel, which takes them before the write is over. What
// it refuses is gone already, or is there when somebody looks next: its answers are dropped.

import type * as Netlink from "netlink";
import { SOCKET_SIZES } from "./socket-sizes.ts";

/** Opens a socket of a protocol of netlink, to be written to alone. */
export function openWriter(netlink: typeof Netlink, protocol: number): Netlink.RawNetlinkSocket {
  const socket = new netlink.RawNetlinkSocket(protocol, SOCKET_SIZES);
  socket.unref();
  socket.on("message", () => undefined);
  socket.on("error", () => undefined);
  return socket;
}

/** Writes them at once; at most as many as their refusals fit into the socket. */
export async function writeMessages(
  socket: Netlink.RawNetlinkSocket,
  messages: Buffer,
): Promise<void> {
  if (messages.length === 0) return;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  socket.send(messages, {}, (error) => (error === undefined ? resolve() : reject(error)));
  await promise;
}
