// What a write came to, for metrics and for whoever decides what to do about it. Pure. Of all codes
// of a failed request only these kinds matter here.

import { isEdgeError } from "@fairlead/runtime";

import { isKubeError, KubeError, type KubeErrorCode } from "../../kube/kube-errors.ts";

/** What is written. */
export type WriteKind = "finalizer" | "external-ips" | "status" | "event" | "pool";

/**
 * `conflict`: the object changed or went meanwhile. `forbidden`: a right is missing. `refused`: the
 * server does not accept it, now or later. `unreachable`: the server is away, or asks to be left
 * alone. `failed`: anything else.
 */
export type WriteResult =
  | "written"
  | "conflict"
  | "forbidden"
  | "refused"
  | "unreachable"
  | "failed";

/** Told of every write that ended. */
export type OnWrite = (kind: WriteKind, result: WriteResult) => void;

const RESULTS: Readonly<Record<KubeErrorCode, Exclude<WriteResult, "written">>> = {
  UNREACHABLE: "unreachable",
  TIMEOUT: "unreachable",
  CUT: "unreachable",
  NOT_LEADING: "unreachable",
  UNTRUSTED: "unreachable",
  UNAUTHORIZED: "unreachable",
  THROTTLED: "unreachable",
  FORBIDDEN: "forbidden",
  NOT_FOUND: "conflict",
  CONFLICT: "conflict",
  INVALID: "refused",
  GONE: "failed",
  SERVER: "failed",
};

/** What a failure comes to; undefined for a bug, which is none of the outside world's. */
export function failureResult(error: unknown): Exclude<WriteResult, "written"> | undefined {
  if (isKubeError(error)) return RESULTS[error.code];
  // Credentials that cannot be had: no request gets out.
  return isEdgeError(error) ? "unreachable" : undefined;
}

/** How long the server asks to be left alone, in ms; 0 when it does not ask. */
export function askedMs(error: unknown): number {
  return error instanceof KubeError ? (error.retryAfterMs ?? 0) : 0;
}
