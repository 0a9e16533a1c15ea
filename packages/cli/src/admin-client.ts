// Asks the controller over AdminService. Given where it listens; every call has a deadline, and
// every failure becomes one EdgeError whose code says which exit code it is.

import { Client, type ServiceError, status } from "@grpc/grpc-js";

import { EdgeError } from "@fairlead/runtime";
import {
  ActOutcome,
  type ActResultRow,
  ActResultSchema,
  AdminService,
  callTrouble,
  channelCredentials,
  channelOptions,
  create,
  type DescribePoolResponse,
  type ExplainResponse,
  type LeaseBook,
  LeaseBookSchema,
  type ListKind,
  type ListLanesResponse,
  type ListResponse,
  serviceDefinition,
  type WatchResponse,
} from "@fairlead/wire";

import { SLOW_MS } from "./slow.ts";

/** How a call to the controller failed. */
export type AdminErrorCode =
  | "UNREACHABLE"
  /** Something answers there, and it is no controller of this version. */
  | "NO_CONTROLLER"
  | "REFUSED"
  /** It answers as many as it can already. */
  | "BUSY"
  /** It does not know the answer yet, or stands by. */
  | "NOT_READY"
  /** It answered, and then no more. */
  | "LOST"
  | "FAILED";

/** The controller, as the command line sees it. */
export interface AdminClient extends Disposable {
  /** The state of everything of these kinds; none means all. */
  list(kinds: readonly ListKind[]): Promise<ListResponse>;
  /** The chain of one subject. */
  explain(subject: string): Promise<ExplainResponse>;
  /** Pools of this name; an empty one means all. */
  describePool(name: string): Promise<DescribePoolResponse>;
  /** Frees an address that drains or is quarantined. */
  releaseLease(address: string): Promise<ActResultRow>;
  /** The operator's word that an agent is powered off. */
  forgetAgent(name: string): Promise<ActResultRow>;
  /** Others are to hold what the agent holds; looks only, when it is a dry run. */
  drainAgent(name: string, dryRun: boolean): Promise<ActResultRow>;
  /** The agent is drained no more. */
  uncordonAgent(name: string): Promise<ActResultRow>;
  /** Another agent is to hold the lane of the address; looks only, when it is a dry run. */
  moveAddress(address: string, to: string, dryRun: boolean): Promise<ActResultRow>;
  /** Agents are to hold alike; looks only, when it is a dry run. */
  rebalance(dryRun: boolean): Promise<ActResultRow>;
  /** Nothing moves by the controller's will, or does again. */
  setFrozen(isFrozen: boolean): Promise<ActResultRow>;
  /** Who holds each lane, and who shall. */
  listLanes(): Promise<ListLanesResponse>;
  /** All leases as they are stored. */
  exportLeases(): Promise<LeaseBook>;
  /** Puts leases into the store; looks only, when it is a dry run. */
  importLeases(book: LeaseBook, dryRun: boolean): Promise<ActResultRow>;
  /**
   * Hands on everything of these kinds, and then what changes. Resolves when the signal is aborted;
   * rejects when nothing comes within the deadline, and with LOST when the controller goes away.
   */
  watch(
    kinds: readonly ListKind[],
    onMessage: (message: WatchResponse) => void,
    signal: AbortSignal,
  ): Promise<void>;
}

const TABLE = serviceDefinition(AdminService);

/** Makes a client; the connection opens with the first call. */
export function createAdminClient(options: {
  /** HOST:PORT. */
  readonly server: string;
  /** Longest wait for an answer, in ms. */
  readonly deadlineMs: number;
  /** Called once for each call that is long without an answer. */
  readonly onSlow: () => void;
}): AdminClient {
  const { server, deadlineMs, onSlow } = options;
  const client = new Client(server, channelCredentials({ kind: "insecure" }), channelOptions());
  const ask = <Request, Response>(
    method: Method<Request, Response>,
    request: Request,
  ): Promise<Response> =>
    new Promise((resolve, reject) => {
      const { path, requestSerialize, responseDeserialize } = method;
      const deadline = new Date(Date.now() + deadlineMs);
      const slow = setTimeout(onSlow, SLOW_MS);
      const settled = (error: ServiceError | null, answer: Response | undefined): void => {
        clearTimeout(slow);
        settle(server, error, answer, { resolve, reject });
      };
      client.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        request,
        { deadline },
        settled,
      );
    });
  return {
    list: (kinds) => ask(TABLE.list, { kinds: [...kinds] }),
    explain: (subject) => ask(TABLE.explain, { subject }),
    describePool: (name) => ask(TABLE.describePool, { name }),
    releaseLease: async (address) => resultOf(await ask(TABLE.releaseLease, { address })),
    forgetAgent: async (name) => resultOf(await ask(TABLE.forgetAgent, { name })),
    drainAgent: async (name, dryRun) => resultOf(await ask(TABLE.drainAgent, { name, dryRun })),
    uncordonAgent: async (name) => resultOf(await ask(TABLE.uncordonAgent, { name })),
    moveAddress: async (address, to, dryRun) =>
      resultOf(await ask(TABLE.moveAddress, { address, to, dryRun })),
    rebalance: async (dryRun) => resultOf(await ask(TABLE.rebalance, { dryRun })),
    setFrozen: async (isFrozen) =>
      resultOf(isFrozen ? await ask(TABLE.freeze, {}) : await ask(TABLE.thaw, {})),
    listLanes: () => ask(TABLE.listLanes, {}),
    exportLeases: async () => (await ask(TABLE.exportLeases, {})).book ?? create(LeaseBookSchema),
    importLeases: async (book, dryRun) => resultOf(await ask(TABLE.importLeases, { book, dryRun })),
    watch: (kinds, onMessage, signal) =>
      watch({ client, ...options }, kinds, { onMessage, signal }),
    [Symbol.dispose]: () => client.close(),
  };
}

interface WatchedBy {
  readonly client: Client;
  readonly server: string;
  readonly deadlineMs: number;
  readonly onSlow: () => void;
}

function watch(
  { client, server, deadlineMs, onSlow }: WatchedBy,
  kinds: readonly ListKind[],
  to: { readonly onMessage: (message: WatchResponse) => void; readonly signal: AbortSignal },
): Promise<void> {
  const { onMessage, signal } = to;
  return new Promise((resolve, reject) => {
    const { path, requestSerialize, responseDeserialize } = TABLE.watch;
    const call = client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, {
      kinds: [...kinds],
    });
    let hasBegun = false;
    // Nothing may come for long, but the first message does at once.
    const timer = setTimeout(() => call.cancel(), deadlineMs);
    const slow = setTimeout(onSlow, SLOW_MS);
    const heard = (): void => {
      clearTimeout(timer);
      clearTimeout(slow);
    };
    const settled = (error: ServiceError | null): void => {
      heard();
      if (signal.aborted) resolve();
      else reject(hasBegun ? lostError(server, error) : adminError(server, error));
    };
    signal.addEventListener("abort", () => call.cancel(), { once: true });
    call.on("data", (message: WatchResponse) => {
      heard();
      hasBegun = true;
      if (!signal.aborted) onMessage(message);
    });
    call.on("error", settled);
    call.on("end", () => settled(null));
  });
}

/** A method of the contract's table, as far as it is called here. */
interface Method<Request, Response> {
  readonly path: string;
  readonly requestSerialize: (request: Request) => Buffer;
  readonly responseDeserialize: (bytes: Buffer) => Response;
}

/** A controller that says nothing of what came of an act has not done it. */
function resultOf({ result }: { readonly result?: ActResultRow | undefined }): ActResultRow {
  return result ?? create(ActResultSchema, { outcome: ActOutcome.FAILED });
}

function settle<T>(
  server: string,
  error: ServiceError | null,
  answer: T | undefined,
  promise: { resolve(value: T): void; reject(error: Error): void },
): void {
  if (error === null && answer !== undefined) promise.resolve(answer);
  else promise.reject(adminError(server, error));
}

/** What a controller says by answering with an error. */
const ANSWERED: ReadonlyMap<status, AdminErrorCode> = new Map([
  [status.RESOURCE_EXHAUSTED, "BUSY"],
  [status.PERMISSION_DENIED, "REFUSED"],
  [status.UNAUTHENTICATED, "REFUSED"],
  [status.FAILED_PRECONDITION, "NOT_READY"],
]);

/** The one place where an error of grpc-js becomes ours. */
function adminError(server: string, error: ServiceError | null): EdgeError<AdminErrorCode> {
  const trouble = callTrouble(error);
  if (trouble.kind !== "answered") {
    const message = `no controller answers at ${server}: ${trouble.why}`;
    const isSilent = trouble.kind === "silent";
    const code = isSilent ? "UNREACHABLE" : "NO_CONTROLLER";
    return new EdgeError({ code, message, retryable: isSilent });
  }
  return new EdgeError({
    code: (error && ANSWERED.get(error.code)) ?? "FAILED",
    message: `the controller at ${server} answered: ${trouble.why}`,
    retryable: false,
  });
}

function lostError(server: string, error: ServiceError | null): EdgeError<AdminErrorCode> {
  const why = error === null ? "it said no more" : callTrouble(error).why;
  const message = `the controller at ${server} went away: ${why}`;
  return new EdgeError({ code: "LOST", message, retryable: true });
}
