// Asks the controller over AdminService. Given where it listens; every call has a deadline, and
// every failure becomes one EdgeError whose code says which exit code it is.

import { Client, type ServiceError, status } from "@grpc/grpc-js";

import { EdgeError } from "@fairlead/runtime";
import {
  AdminService,
  channelCredentials,
  channelOptions,
  type DescribePoolResponse,
  type ExplainResponse,
  type ListKind,
  type ListResponse,
  serviceDefinition,
  type WatchResponse,
} from "@fairlead/wire";

/** How a call to the controller failed. */
export type AdminErrorCode =
  | "UNREACHABLE"
  | "REFUSED"
  /** It answers as many as it can already. */
  | "BUSY"
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
}): AdminClient {
  const { server, deadlineMs } = options;
  const client = new Client(server, channelCredentials({ kind: "insecure" }), channelOptions());
  const deadline = (): Date => new Date(Date.now() + deadlineMs);
  return {
    list: (kinds) =>
      new Promise((resolve, reject) => {
        const { path, requestSerialize, responseDeserialize } = TABLE.list;
        client.makeUnaryRequest(
          path,
          requestSerialize,
          responseDeserialize,
          { kinds: [...kinds] },
          { deadline: deadline() },
          (error, answer) => settle(server, error, answer, { resolve, reject }),
        );
      }),
    explain: (subject) =>
      new Promise((resolve, reject) => {
        const { path, requestSerialize, responseDeserialize } = TABLE.explain;
        client.makeUnaryRequest(
          path,
          requestSerialize,
          responseDeserialize,
          { subject },
          { deadline: deadline() },
          (error, answer) => settle(server, error, answer, { resolve, reject }),
        );
      }),
    describePool: (name) =>
      new Promise((resolve, reject) => {
        const { path, requestSerialize, responseDeserialize } = TABLE.describePool;
        client.makeUnaryRequest(
          path,
          requestSerialize,
          responseDeserialize,
          { name },
          { deadline: deadline() },
          (error, answer) => settle(server, error, answer, { resolve, reject }),
        );
      }),
    watch: (kinds, onMessage, signal) =>
      new Promise((resolve, reject) => {
        const { path, requestSerialize, responseDeserialize } = TABLE.watch;
        const call = client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, {
          kinds: [...kinds],
        });
        let hasBegun = false;
        // Nothing may come for long, but the first message does at once.
        const timer = setTimeout(() => call.cancel(), deadlineMs);
        const settled = (error: ServiceError | null): void => {
          clearTimeout(timer);
          if (signal.aborted) resolve();
          else reject(hasBegun ? lostError(server, error) : adminError(server, error));
        };
        signal.addEventListener("abort", () => call.cancel(), { once: true });
        call.on("data", (message: WatchResponse) => {
          clearTimeout(timer);
          hasBegun = true;
          if (!signal.aborted) onMessage(message);
        });
        call.on("error", settled);
        call.on("end", () => settled(null));
      }),
    [Symbol.dispose]: () => client.close(),
  };
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

/** The one place where an error of grpc-js becomes ours. */
function adminError(server: string, error: ServiceError | null): EdgeError<AdminErrorCode> {
  const code = error?.code;
  const isSilent = code === status.DEADLINE_EXCEEDED || code === status.CANCELLED;
  if (code === status.UNAVAILABLE || isSilent) {
    const message = `no controller answers at ${server}`;
    return new EdgeError({ code: "UNREACHABLE", message, retryable: true, cause: error });
  }
  const isBusy = code === status.RESOURCE_EXHAUSTED;
  const isRefused = code === status.PERMISSION_DENIED || code === status.UNAUTHENTICATED;
  return new EdgeError({
    code: isRefused ? "REFUSED" : isBusy ? "BUSY" : "FAILED",
    message: `the controller at ${server} answered: ${error?.details ?? "nothing"}`,
    retryable: false,
    cause: error,
  });
}

function lostError(server: string, error: ServiceError | null): EdgeError<AdminErrorCode> {
  const message = `the controller at ${server} went away: ${error?.details ?? "it said no more"}`;
  return new EdgeError({ code: "LOST", message, retryable: true });
}
