// AdminService: the transport of the command line. Given what the loop and the streams know; it
// answers questions, once or for as long as somebody watches, and hands operators' acts to the
// loop. Reflection and health let grpcurl work without files.

import { Server } from "@grpc/grpc-js";
import {
  type Clock,
  type HostPort,
  type Logger,
  describeError,
  namingFlag,
} from "@fairlead/runtime";
import {
  AdminService,
  type Credentials,
  type Health,
  addIntrospection,
  serverOptions,
  serviceDefinition,
  unaryHandler,
} from "@fairlead/wire";

import {
  type DoAct,
  drainAgent,
  exportLeases,
  forgetAgent,
  importLeases,
  moveAddress,
  rebalance,
  releaseLease,
  setFrozen,
  uncordonAgent,
} from "./act-calls.ts";
import type { AdminContext } from "./admin-context.ts";
import { bindServer, closeServer } from "./bind-server.ts";
import { describePool } from "./describe-pool.ts";
import { explain } from "./explain.ts";
import { list } from "./list.ts";
import { listLanes } from "./list-lanes.ts";
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
    listLanes: unaryHandler(() => listLanes(context().view), onFailed),
    exportLeases: unaryHandler(() => exportLeases(context().view), onFailed),
    ...actHandlers(act, onFailed),
  });
  const health = addIntrospection(server, [AdminService]);
  const address = await namingFlag({ flag: "--listen-admin", at: options.listen }, () =>
    bindServer(server, options.listen, options.credentials),
  );
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

interface Named {
  readonly name: string;
}

/** The calls by which operators act. */
function actHandlers(act: DoAct, onFailed: Parameters<typeof unaryHandler>[1]) {
  const handle = <Asked, Answer>(answer: (asked: Asked) => Promise<Answer>) =>
    unaryHandler(answer, onFailed);
  return {
    releaseLease: handle(({ address }: { readonly address: string }) => releaseLease(act, address)),
    forgetAgent: handle(({ name }: Named) => forgetAgent(act, name)),
    drainAgent: handle((asked: Parameters<typeof drainAgent>[1]) => drainAgent(act, asked)),
    uncordonAgent: handle(({ name }: Named) => uncordonAgent(act, name)),
    moveAddress: handle((asked: Parameters<typeof moveAddress>[1]) => moveAddress(act, asked)),
    rebalance: handle((asked: Parameters<typeof rebalance>[1]) => rebalance(act, asked)),
    freeze: handle(() => setFrozen(act, true)),
    thaw: handle(() => setFrozen(act, false)),
    importLeases: handle((asked: Parameters<typeof importLeases>[1]) => importLeases(act, asked)),
  };
}
