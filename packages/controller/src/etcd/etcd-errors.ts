// What can go wrong with a request to etcd, as one closed list. Given what the package etcd3 threw.
// The only place that knows its classes and etcd's words. Credentials never show.

import { EdgeError, describeError, isEdgeError } from "@fairlead/runtime";

import { loadEtcd3 } from "./load-etcd3.ts";

/** How a request to etcd failed. */
export type EtcdErrorCode =
  /** No connection, or no leader: the members may lack a majority. */
  | "UNREACHABLE"
  /** No answer in time; a write may have happened. */
  | "TIMEOUT"
  /** User, password, certificate or role do not suffice. */
  | "FORBIDDEN"
  /** Its space is used up, or it is throttled. */
  | "NO_SPACE"
  /** The history that was asked for is compacted away. */
  | "COMPACTED"
  /** A lease is gone: it ended or was revoked. */
  | "LEASE_GONE"
  /** What was asked is not accepted, now or later. */
  | "INVALID"
  /** Not sent at all. */
  | "NOT_LEADING"
  | "CLOSED"
  | "SERVER";

/** A failed request. */
export type EtcdError = EdgeError<EtcdErrorCode>;

const PERMANENT: ReadonlySet<EtcdErrorCode> = new Set(["INVALID", "CLOSED"]);

/** etcd's own words, which say more than the code of gRPC that carries them. */
const BY_WORDS: readonly (readonly [RegExp, EtcdErrorCode, string])[] = [
  [/etcdserver: request timed out/u, "TIMEOUT", "it did not agree in time; is a majority there?"],
  [/etcdserver: leader changed/u, "TIMEOUT", "its leader changed"],
  [/etcdserver: no leader/u, "UNREACHABLE", "it has no leader; is a majority there?"],
  [/etcdserver: not (?:a )?leader/u, "UNREACHABLE", "its leader changed"],
  [/database space exceeded/u, "NO_SPACE", "its space is used up; compact and defragment it"],
  [/too many requests/u, "NO_SPACE", "it is asked too much"],
  [/required revision has been compacted/u, "COMPACTED", "the history is compacted"],
  [/requested lease not found/u, "LEASE_GONE", "the lease is gone"],
  [/request is too large/u, "INVALID", "the request is too large"],
  [/too many operations/u, "INVALID", "the transaction is too large; see --max-txn-ops"],
];

const NO_ANSWER = "no answer in time";

/** How the classes of etcd3 read here, by name. */
const BY_CLASS = {
  GRPCUnavailableError: ["UNREACHABLE", "no member answers"],
  GRPCDeadlineExceededError: ["TIMEOUT", NO_ANSWER],
  GRPCCancelledError: ["TIMEOUT", "the request was given up"],
  GRPCAbortedError: ["TIMEOUT", "the request was given up"],
  GRPCUnauthenticatedError: ["FORBIDDEN", "it wants a user"],
  EtcdPermissionDeniedError: ["FORBIDDEN", "the user lacks a right"],
  EtcdInvalidAuthTokenError: ["FORBIDDEN", "the user's token is refused"],
  EtcdAuthenticationFailedError: ["FORBIDDEN", "user or password are wrong"],
  GRPCResourceExhastedError: ["NO_SPACE", "its space is used up"],
  EtcdLeaseInvalidError: ["LEASE_GONE", "the lease is gone"],
  ClientClosedError: ["CLOSED", "the connection is closed"],
  GRPCInvalidArgumentError: ["INVALID", "it does not accept the request"],
} as const satisfies Readonly<Record<string, readonly [EtcdErrorCode, string]>>;

/** Authentication is on and we brought no user; etcd has no class for it. */
const NO_USER = /user name is empty|authentication is not enabled/u;

/** Maps what was thrown while `operation`, a phrase such as `cannot read etcd at http://h:2379`. */
export function etcdError(error: unknown, operation: string): EtcdError {
  if (isEdgeError<EtcdErrorCode>(error)) return error;
  const [code, why] = known(error) ?? (["SERVER", describeError(error)] as const);
  return makeEtcdError({ code, message: `${operation}: ${why}`, cause: plainCause(error) });
}

/**
 * The last failure of a request, with what each member that was asked said.
 * @param failed the failures by the URLs of members.
 */
export function membersError(last: EtcdError, failed: ReadonlyMap<string, EtcdError>): EtcdError {
  if (failed.size < 2) return last;
  // In one order, whoever was asked first: the same trouble is the same text.
  const members = [...failed].toSorted(([one], [other]) => (one < other ? -1 : 1));
  const each = members.map(([url, { cause, message }]) => {
    return `${url}: ${describeError(cause ?? message)}`;
  });
  const { code, message } = last;
  return makeEtcdError({ code, message, cause: new Error(each.join("; ")) });
}

/** Makes an error of this list. */
export function makeEtcdError(options: {
  readonly code: EtcdErrorCode;
  readonly message: string;
  readonly cause?: unknown;
}): EtcdError {
  return new EdgeError({ ...options, retryable: !PERMANENT.has(options.code) });
}

/** gRPC puts what a socket said between words of its own. */
const NO_CONNECTION =
  /No connection established\. Last error: (?:Error: )?(.+)\. Resolution note:/u;

/** And of a deadline it tells where the time went, which is another text at each try. */
const TOO_LATE = /DEADLINE_EXCEEDED/u;

function plainCause(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  if (TOO_LATE.test(error.message)) return new Error(NO_ANSWER);
  const said = NO_CONNECTION.exec(error.message)?.[1];
  return said === undefined ? error : new Error(said);
}

function known(error: unknown): readonly [EtcdErrorCode, string] | undefined {
  if (!(error instanceof Error)) return undefined;
  const { message } = error;
  if (NO_USER.test(message)) return ["FORBIDDEN", "users are not set up as the URL says"];
  const said = BY_WORDS.find(([words]) => words.test(message));
  if (said !== undefined) return [said[1], said[2]];
  // Errors of streams come as gRPC makes them.
  const etcd3 = loadEtcd3();
  const typed = etcd3.castGrpcError(error);
  const names = Object.keys(BY_CLASS) as (keyof typeof BY_CLASS)[];
  const name = names.find((one) => typed instanceof etcd3[one]);
  return name === undefined ? undefined : BY_CLASS[name];
}
