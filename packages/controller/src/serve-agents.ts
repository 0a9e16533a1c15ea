// Where agents come to: the server of their streams, as a part of a program that stops. Given the
// streams and what stops all parts. Their order is what matters here: what agents are told ends
// before everything else, and their streams end after the lead was given up.

import { Server } from "@grpc/grpc-js";
import { assert } from "@fairlead/model";
import { type HostPort, type Lifecycle, namingFlag } from "@fairlead/runtime";
import { AgentService, type Credentials, addIntrospection, serverOptions } from "@fairlead/wire";

import { bindServer, closeServer } from "./api/grpc/bind-server.ts";
import type { SyncServer } from "./sync/index.ts";

/** What serving agents needs. */
export interface ServeAgentsOptions {
  readonly lifecycle: Lifecycle;
  readonly sync: SyncServer;
  readonly listen: HostPort;
  readonly credentials: Credentials;
}

/** The server of agents' streams, where nobody listens yet. */
export interface AgentsServer {
  /** Takes agents from now on, and gives where. Rejects with EdgeError<ListenErrorCode>. */
  serve(): Promise<HostPort>;
}

/**
 * Makes it. Called before the election is started, so that it is stopped after it: agents whose
 * streams end once the lead is given up find who takes it.
 */
export async function keepAgents(options: ServeAgentsOptions): Promise<AgentsServer> {
  const { lifecycle, sync, listen, credentials } = options;
  const server = new Server(serverOptions());
  sync.register(server);
  await lifecycle.start("agents' server", () => ({
    [Symbol.asyncDispose]: () => closeServer(server),
  }));
  await lifecycle.start("agents' streams", () => sync);
  return {
    serve: async () => {
      const health = addIntrospection(server, [AgentService]);
      let address: HostPort | undefined;
      await lifecycle.start("agents' plans", async () => {
        address = await namingFlag({ flag: "--listen-agents", at: listen }, () =>
          bindServer(server, listen, credentials),
        );
        return { [Symbol.dispose]: () => sync.hush() };
      });
      health.setServing(true);
      assert(address !== undefined, "a server that started has an address");
      return address;
    },
  };
}
