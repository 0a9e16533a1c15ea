// Tries whether an address and port can be bound, before nginx sees the listener: one that cannot
// makes nginx refuse a whole reload. It binds for an instant and connects to nobody. Never ask
// for a listener that nginx serves already: it would be found taken, by nginx itself.

import { createSocket } from "node:dgram";
import { createServer } from "node:net";
import { familyOf, placeText, type Remark } from "@fairlead/model";
import { EdgeError, describeError } from "@fairlead/runtime";
import type { PortProbe } from "../ports.ts";
import { type HeldPort, type OwnPort, findHolder } from "./port-holder.ts";

/** Why it could not even be tried. */
export type PortProbeErrorCode = "NO_FILES";

/** Makes the probe; of TCP the ports of this program are given, to be told by their names. */
export function createPortProbe(ownPorts: readonly OwnPort[] = []): PortProbe {
  return {
    probe: async (listener) => {
      const error = await (listener.protocol === "tcp" ? bindTcp : bindUdp)(listener);
      return error === undefined ? undefined : remarkOf(error, listener, ownPorts);
    },
  };
}

type Listener = HeldPort;

/** Node sets SO_REUSEADDR as nginx does: it passes by connections that linger, never a listener. */
function bindTcp({ address, port }: Listener): Promise<Error | undefined> {
  return new Promise((resolve) => {
    const server = createServer((socket) => socket.destroy());
    server.once("error", resolve);
    server.listen({ host: address, port, exclusive: true, backlog: 1, ipv6Only: true }, () => {
      server.close(() => resolve(undefined));
    });
  });
}

/** Without SO_REUSEADDR: with it one of two sockets on a UDP port silently gets all datagrams. */
function bindUdp({ address, port }: Listener): Promise<Error | undefined> {
  return new Promise((resolve) => {
    const isIpv6 = familyOf(address) === "ipv6";
    const socket = createSocket(
      isIpv6 ? { type: "udp6", ipv6Only: true, reuseAddr: false } : { type: "udp4" },
    );
    socket.once("error", (error) => {
      socket.close();
      resolve(error);
    });
    socket.bind({ address, port, exclusive: true }, () => {
      socket.close(() => resolve(undefined));
    });
  });
}

async function remarkOf(
  error: Error,
  listener: Listener,
  ownPorts: readonly OwnPort[],
): Promise<Remark> {
  const code = "code" in error ? error.code : undefined;
  const place = placeText(listener);
  if (code === "EADDRINUSE") {
    const holder = (await findHolder(listener, ownPorts)) ?? "another process";
    return { reason: "PortTaken", detail: `${place} is in use by ${holder}` };
  }
  if (code === "EADDRNOTAVAIL") {
    const family = familyOf(listener.address);
    const detail = `${place} cannot be bound: net.${family}.ip_nonlocal_bind is not 1`;
    return { reason: "ConfigRejected", detail };
  }
  if (code === "EACCES" || code === "EPERM") {
    const detail = `${place} cannot be bound: the agent lacks NET_BIND_SERVICE`;
    return { reason: "ConfigRejected", detail };
  }
  if (code !== "EMFILE" && code !== "ENFILE") {
    // nginx could not either, and would refuse all others along with it.
    const detail = `${place} cannot be bound: ${describeError(error)}`;
    return { reason: "ConfigRejected", detail };
  }
  throw new EdgeError<PortProbeErrorCode>({
    code: "NO_FILES",
    message: `cannot try to bind ${place}: ${describeError(error)}`,
    retryable: true,
    cause: error,
  });
}
