// Where servers of HTTP listen, and why they cannot: the same for every port of ours. Given a
// server of node:http.

import type { Server } from "node:http";
import { type AddressInfo, isIPv6 } from "node:net";

import { onAllAddresses } from "./all-addresses.ts";
import { describeError, EdgeError, isEdgeError } from "./errors.ts";
import { formatHostPort, type HostPort } from "./host-port.ts";
import { findPortOwner } from "./socket-owner.ts";

/** Why a server cannot listen. */
export type ListenErrorCode = "PORT_TAKEN" | "NO_SUCH_ADDRESS" | "PERMISSION" | "IO";

/**
 * Listens; without a host, on all addresses. Rejects with EdgeError<ListenErrorCode> when it
 * cannot.
 * @param onError told what fails later: a failing accept (no file descriptors left) must not end
 * the program.
 * @returns where it really listens, as port 0 takes any free one.
 */
export async function listenHttp(
  server: Server,
  at: HostPort,
  onError: (error: Error) => void,
): Promise<HostPort> {
  try {
    await onAllAddresses(at, (place) => tryListen(server, place));
  } catch (error) {
    throw listenError(error, at);
  }
  server.on("error", onError);
  return boundAddress(server.address());
}

/** Rejects with what Node raised; the server may try another place then. */
function tryListen(server: Server, { host, port }: HostPort): Promise<void> {
  return new Promise((resolve, reject) => {
    const onListening = (): void => {
      server.off("error", onRefused);
      resolve();
    };
    const onRefused = (error: Error): void => {
      server.off("listening", onListening);
      reject(error);
    };
    server.once("error", onRefused).once("listening", onListening);
    server.listen({ host, port, exclusive: true });
  });
}

/**
 * Listens for a flag of ours. Where the port is taken it says by whom, as far as that can be seen,
 * and which flag it came from: the number alone tells neither. Rejects as `listen` does.
 */
export async function namingFlag<T>(
  { flag, at }: { readonly flag: string; readonly at: HostPort },
  listen: () => Promise<T>,
): Promise<T> {
  try {
    return await listen();
  } catch (error) {
    if (!isEdgeError(error, "PORT_TAKEN")) throw error;
    const owner = await findPortOwner(at).catch(() => undefined);
    const holder = owner === undefined ? "another program" : `${owner.name} (pid ${owner.pid})`;
    const message = `cannot listen on ${formatHostPort(at)} of ${flag}: ${holder} holds the port`;
    throw new EdgeError({ code: "PORT_TAKEN", message, retryable: false });
  }
}

/** Stops listening and cuts every connection. */
export function closeHttp(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

/** Maps what listening on `at` raised. For every server of ours that binds a port. */
export function listenError(error: unknown, at: HostPort): EdgeError<ListenErrorCode> {
  const where = formatHostPort(at);
  const errno = error instanceof Error && "code" in error ? error.code : undefined;
  const make = (code: ListenErrorCode, why: string): EdgeError<ListenErrorCode> =>
    new EdgeError({
      code,
      message: `cannot listen on ${where}: ${why}`,
      retryable: false,
      // What has words here would be said twice.
      ...(code === "IO" ? { cause: error } : {}),
    });
  if (errno === "EADDRINUSE") return make("PORT_TAKEN", "another program holds the port");
  if (errno === "EADDRNOTAVAIL") return make("NO_SUCH_ADDRESS", "this host has no such address");
  if (errno === "EAFNOSUPPORT" && isIPv6(at.host)) {
    return make("NO_SUCH_ADDRESS", "this host has no IPv6");
  }
  if (errno === "EACCES") return make("PERMISSION", "the port needs more rights");
  return make("IO", describeError(error));
}

function boundAddress(address: AddressInfo | string | null): HostPort {
  if (address === null || typeof address === "string") return { host: "", port: 0 };
  return { host: address.address, port: address.port };
}
