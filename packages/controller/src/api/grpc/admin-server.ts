// AdminService: the transport of the command line. Given what the loop and the streams know; it
// answers questions and changes nothing. Reflection and health let grpcurl work without files.

import { type handleUnaryCall, Server, status } from "@grpc/grpc-js";
import { type HostPort, type Logger, describeError } from "@fairlead/runtime";
import {
  AdminService,
  type Credentials,
  type Health,
  addIntrospection,
  serverOptions,
  serviceDefinition,
} from "@fairlead/wire";

import type { AdminContext } from "./admin-context.ts";
import { bindServer, closeServer } from "./bind-server.ts";
import { explain } from "./explain.ts";
import { list } from "./list.ts";

/** What the server answers from, and where. */
export interface AdminServerOptions {
  readonly listen: HostPort;
  readonly credentials: Credentials;
  readonly log: Logger;
  /** Asked once a call. */
  readonly context: () => AdminContext;
}

/** A server that listens. Disposing ends it and every call. */
export interface AdminServer extends AsyncDisposable {
  /** Where it really listens. */
  readonly address: HostPort;
  readonly health: Health;
}

/** Starts the server. Rejects with EdgeError<ListenErrorCode> when it cannot listen. */
export async function createAdminServer(options: AdminServerOptions): Promise<AdminServer> {
  const { context, log } = options;
  const server = new Server(serverOptions());
  const table = serviceDefinition(AdminService);
  server.addService(table, {
    list: answer(log, (request: Parameters<typeof list>[1]) => list(context(), request)),
    explain: answer(log, ({ subject }: { readonly subject: string }) =>
      explain(context(), subject),
    ),
  });
  const health = addIntrospection(server, [AdminService]);
  const address = await bindServer(server, options.listen, options.credentials);
  return { address, health, [Symbol.asyncDispose]: () => closeServer(server) };
}

/** A question that fails is a bug of ours: it is logged and answered, and the others go on. */
function answer<Request, Response>(
  log: Logger,
  ask: (request: Request) => Response,
): handleUnaryCall<Request, Response> {
  return (call, respond) => {
    let response: Response;
    try {
      response = ask(call.request);
    } catch (error) {
      log.error({ error }, "a question could not be answered");
      respond({ code: status.INTERNAL, details: describeError(error) });
      return;
    }
    respond(null, response);
  };
}
