// Binds a gRPC server of the controller to the place that a setting names. Given the server with
// its services. The one place where words about listening become errors of ours.

import type { Server } from "@grpc/grpc-js";
import { type HostPort, formatHostPort, listenError, onAllAddresses } from "@fairlead/runtime";
import { type Credentials, bindServer as bind } from "@fairlead/wire";

export { closeServer } from "@fairlead/wire";

/**
 * Binds and serves; without a host, on all addresses. Rejects with EdgeError<ListenErrorCode>.
 * Returns where it really listens.
 */
export async function bindServer(
  server: Server,
  listen: HostPort,
  credentials: Credentials,
): Promise<HostPort> {
  try {
    return await onAllAddresses(listen, async (at) => ({
      host: at.host,
      port: await bind(server, formatHostPort(at), credentials),
    }));
  } catch (error) {
    throw listenError(error, listen);
  }
}
