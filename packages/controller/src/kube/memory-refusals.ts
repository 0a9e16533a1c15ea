// For tests: why an API server does not carry a write out, before it looks at what is there, and in
// which words. Given the request. The words are those of kube-apiserver 1.36, as far as somebody
// reads them.

import type { KubeRequest } from "./kube-client.ts";
import { answerError, type KubeError } from "./kube-errors.ts";

/** The type of a server-side apply. */
export const APPLY = "application/apply-patch+yaml";
const MERGE = "application/merge-patch+json";
/** A server reads no more of a request. */
const BYTES_MAX = 3 * 1024 * 1024;

const PATH =
  /^\/(?:api|apis\/([a-z0-9.]+))\/v1\/namespaces\/([^/]+)\/(services|events)(?:\/([^/]+))?(?:\/([^/]+))?$/u;

/** What a write is about. */
export interface WriteTarget {
  /** Empty: that of Services. */
  readonly group: string;
  readonly namespace: string;
  readonly kind: string;
  /** Undefined for what is made. */
  readonly name: string | undefined;
  /** Such as `status`. */
  readonly part: string | undefined;
}

/** Reads it from a path. */
export function writeTarget(path: string): WriteTarget {
  const [, group = "", namespace = "", kind = "", name, part] = PATH.exec(path) ?? [];
  return { group, namespace, kind, name, part };
}

/** An error as the answer of a server. */
export function refusal(request: KubeRequest, status: number, message: string): KubeError {
  return answerError(request, { status, retryAfter: undefined, body: { message } });
}

/** What an API server says to one who lacks the right to this write. */
export function lackOfRight(request: KubeRequest, user: string): KubeError {
  const { group, namespace, kind, name, part } = writeTarget(request.path);
  const resource = part === undefined ? kind : `${kind}/${part}`;
  const what = `${group === "" ? kind : `${kind}.${group}`}${name === undefined ? "" : ` "${name}"`}`;
  const verb = request.method === "POST" ? "create" : "patch";
  const words =
    `${what} is forbidden: User "${user}" cannot ${verb} resource "${resource}" ` +
    `in API group "${group}" in the namespace "${namespace}"`;
  return refusal(request, 403, words);
}

/** What the server has against a write before it looks at the object; undefined: nothing. */
export function unreadable(request: KubeRequest): KubeError | undefined {
  const { method, body, contentType, query } = request;
  if (Buffer.byteLength(JSON.stringify(body)) > BYTES_MAX) {
    return refusal(request, 413, `Request entity too large: limit is ${BYTES_MAX}`);
  }
  if (method !== "PATCH" || contentType === MERGE) return undefined;
  if (contentType !== APPLY) return refusal(request, 415, "415: Unsupported Media Type");
  if (query?.["fieldManager"] !== undefined) return undefined;
  return refusal(request, 422, "fieldManager: Required value: is required for apply patch");
}

/** An apply to what is not there would make it: a uid keeps it from that, and so do ports here. */
export function missing(request: KubeRequest, uid: string | undefined): KubeError {
  if (uid === undefined) return refusal(request, 422, "spec.ports: Required value");
  return refusal(request, 409, "uid mismatch: no existing object was found");
}
