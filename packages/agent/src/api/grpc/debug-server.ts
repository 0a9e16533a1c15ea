// AgentDebugService: what the agent knows and did, for whoever stands on its host. Given what the
// loop shows of itself; it answers questions and changes nothing. Reflection and health let grpcurl
// work without files.

import { Server } from "@grpc/grpc-js";
import {
  describeError,
  formatHostPort,
  type HostPort,
  listenError,
  type Logger,
} from "@fairlead/runtime";
import {
  addIntrospection,
  type AskSegmentRequest,
  AgentDebugService,
  bindServer,
  closeServer,
  type Credentials,
  type GetMembersRequest,
  type GetObservedRequest,
  type GetPlanRequest,
  serverOptions,
  serviceDefinition,
  unaryHandler,
} from "@fairlead/wire";

import { askSegment } from "./ask-segment.ts";
import type { DebugContext } from "./debug-context.ts";
import { getFiles } from "./get-files.ts";
import { getLastApply } from "./get-last-apply.ts";
import { getMembers } from "./get-members.ts";
import { getObserved } from "./get-observed.ts";
import { getPlan } from "./get-plan.ts";

/** What the server answers from, and where. */
export interface DebugServerOptions {
  readonly listen: HostPort;
  readonly credentials: Credentials;
  readonly log: Logger;
  /** Asked once a call. */
  readonly context: () => DebugContext;
}

/** A server that listens. Disposing ends it and every call. */
export interface DebugServer extends AsyncDisposable {
  /** Where it really listens. */
  readonly address: HostPort;
}

/** Starts the server. Rejects with EdgeError<ListenErrorCode> when it cannot listen. */
export async function createDebugServer(options: DebugServerOptions): Promise<DebugServer> {
  const { listen, credentials, context, log } = options;
  const onFailed = (error: unknown): string => {
    log.error({ error: describeError(error) }, "a question could not be answered");
    return describeError(error);
  };
  const server = new Server(serverOptions());
  server.addService(serviceDefinition(AgentDebugService), {
    getPlan: unaryHandler((asked: GetPlanRequest) => getPlan(context(), asked), onFailed),
    getObserved: unaryHandler(
      (asked: GetObservedRequest) => getObserved(context(), asked),
      onFailed,
    ),
    getLastApply: unaryHandler(() => getLastApply(context()), onFailed),
    getFiles: unaryHandler(() => getFiles(context()), onFailed),
    askSegment: unaryHandler((asked: AskSegmentRequest) => askSegment(context(), asked), onFailed),
    getMembers: unaryHandler((asked: GetMembersRequest) => getMembers(context(), asked), onFailed),
  });
  const health = addIntrospection(server, [AgentDebugService]);
  const port = await bindServer(server, formatHostPort(listen), credentials).catch(
    (error: unknown) => {
      throw listenError(error, listen);
    },
  );
  health.setServing(true);
  return {
    address: { host: listen.host, port },
    [Symbol.asyncDispose]: () => closeServer(server),
  };
}
