// Binds a gRPC server to the place that a setting names. Given the server with its services. The
// one place where grpc-js's words about listening become errors of ours.

import type { Server } from "@grpc/grpc-js";
import { type HostPort, formatHostPort, listenError } from "@fairlead/runtime";
import { type Credentials, serverCredentials } from "@fairlead/wire";

/** What grpc-js tells in its message alone, as "... errors: [listen EADDRINUSE: ...]". */
const LISTEN_ERRNO = /\blisten (E[A-Z]+)/u;

/** Binds and serves. Rejects with EdgeError<ListenErrorCode>. Returns where it really listens. */
export function bindServer(
  server: Server,
  listen: HostPort,
  credentials: Credentials,
): Promise<HostPort> {
  return new Promise((resolve, reject) => {
    server.bindAsync(formatHostPort(listen), serverCredentials(credentials), (error, port) => {
      if (error === null) resolve({ host: listen.host, port });
      else reject(listenError(withErrno(error), listen));
    });
  });
}

/** Ends a server: calls under way get a moment to end, then everything is cut. */
export function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.tryShutdown(() => resolve());
    // Streams of agents and of watchers have no end of their own.
    server.forceShutdown();
  });
}

function withErrno(error: Error): Error {
  const code = LISTEN_ERRNO.exec(error.message)?.[1];
  return code === undefined ? error : Object.assign(new Error(error.message), { code });
}
