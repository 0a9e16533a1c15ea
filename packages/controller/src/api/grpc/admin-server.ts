// AdminService: the transport of the command line. Given what the loop and the streams know; it
// answers questions, once or for as long as somebody watches, and hands operators' acts to the
// loop. Reflection and health let grpcurl work without files.

import { Server } from "@grpc/grpc-js";
import { type Clock, type HostPort, type Logger, describeError } from "@fairlead/runtime";
import {
  AdminService,
  type Credentials,
  type Health,
  addIntrospection,
  serverOptions,
  serviceDefinition,
  unaryHandler,
} from "@fairlead/wire";

import { type DoAct, exportLeases, forgetAgent, importLeases, releaseLease } from "./act-calls.ts";
import type { AdminContext } from "./admin-context.ts";
import { bindServer, closeServer } from "./bind-server.ts";
import { describePool } from "./describe-pool.ts";
import { explain } from "./explain.ts";
import { list } from "./list.ts";
import { createWatchers, type WatchCall } from "./watchers.ts";

/** What the server answers from, and where. */
export interface AdminServerOptions {
  readonly listen: HostPort;
  readonly credentials: Credentials;
  readonly clock: Clock;
  readonly log: Logger;
  /** Does what operators ask for. */
  readonly act: DoAct;
  /** Asked once a call, and whenever something changed while somebody watches. */
  readonly context: () => AdminContext;
}

/** A server that listens. Disposing ends it and every call. */
export interface AdminServer extends AsyncDisposable {
  /** Where it really listens. */
  readonly address: HostPort;
  readonly health: Health;
  /** What the context gives may have changed: those who watch are told. */
  changed(): void;
}

/** Starts the server. Rejects with EdgeError<ListenErrorCode> when it cannot listen. */
export async function createAdminServer(options: AdminServerOptions): Promise<AdminServer> {
  const { context, act, clock, log } = options;
  const watchers = createWatchers({ clock, log, list: (kinds) => list(context(), { kinds }) });
  const server = new Server(serverOptions());
  const table = serviceDefinition(AdminService);
  const onFailed = (error: unknown): string => {
    log.error({ error }, "a question could not be answered");
    return describeError(error);
  };
  server.addService(table, {
    list: unaryHandler((asked: Parameters<typeof list>[1]) => list(context(), asked), onFailed),
    explain: unaryHandler(
      ({ subject }: { readonly subject: string }) => explain(context(), subject),
      onFailed,
    ),
    describePool: unaryHandler(
      (asked: { readonly name: string }) => describePool(context(), asked),
      onFailed,
    ),
    watch: (call: WatchCall) => watchers.watch(call),
    releaseLease: unaryHandler(
      ({ address: text }: { readonly address: string }) => releaseLease(act, text),
      onFailed,
    ),
    forgetAgent: unaryHandler(
      ({ name }: { readonly name: string }) => forgetAgent(act, name),
      onFailed,
    ),
    exportLeases: unaryHandler(() => exportLeases(context().view), onFailed),
    importLeases: unaryHandler(
      (asked: Parameters<typeof importLeases>[1]) => importLeases(act, asked),
      onFailed,
    ),
  });
  const health = addIntrospection(server, [AdminService]);
  const address = await bindServer(server, options.listen, options.credentials);
  return {
    address,
    health,
    changed: () => watchers.poke(),
    [Symbol.asyncDispose]: async () => {
      await watchers[Symbol.asyncDispose]();
      await closeServer(server);
    },
  };
}
