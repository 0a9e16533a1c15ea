// Failures in the words of an API server: Status objects with their HTTP status. Pure. The words
// are those of kube-apiserver 1.36.3, copied from its answers.

import type { Json } from "./json-tree.ts";
import type { StubKind, StubTarget } from "./stub-kinds.ts";

/** An answer that is whole. */
export interface StubAnswer {
  readonly status: number;
  readonly body: Json;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What of a Status differs from case to case. */
interface Failure {
  readonly code: number;
  readonly message: string;
  readonly reason?: string;
  readonly details?: Json;
  readonly metadata?: Json;
}

/** The Status object of a failure. */
export function statusBody(failure: Failure): Json {
  const { code, message, reason, details, metadata = {} } = failure;
  return {
    kind: "Status",
    apiVersion: "v1",
    metadata,
    status: "Failure",
    message,
    ...(reason === undefined ? {} : { reason }),
    ...(details === undefined ? {} : { details }),
    code,
  };
}

function answer(failure: Failure): StubAnswer {
  return { status: failure.code, body: statusBody(failure) };
}

function detailsOf({ group, resource }: StubKind, name?: string): Json {
  const named = name === undefined ? {} : { name };
  return { ...named, ...(group === "" ? {} : { group }), kind: resource };
}

/** `services`, or `events.events.k8s.io`. */
function qualified({ group, resource }: StubKind): string {
  return group === "" ? resource : `${resource}.${group}`;
}

/** 401. */
export function unauthorized(): StubAnswer {
  return answer({ code: 401, reason: "Unauthorized", message: "Unauthorized" });
}

/** 403: the user lacks the right. */
export function forbidden(user: string, target: StubTarget): StubAnswer {
  const { kind, verb, namespace, name, subresource } = target;
  const what = name === undefined ? qualified(kind) : `${qualified(kind)} "${name}"`;
  const resource = subresource === undefined ? kind.resource : `${kind.resource}/${subresource}`;
  const where =
    namespace === undefined ? "at the cluster scope" : `in the namespace "${namespace}"`;
  const message =
    `${what} is forbidden: User "${user}" cannot ${verb} resource "${resource}" ` +
    `in API group "${kind.group}" ${where}`;
  return answer({ code: 403, reason: "Forbidden", message, details: detailsOf(kind, name) });
}

/** 404: no such path. */
export function noSuchPath(): StubAnswer {
  const message = "the server could not find the requested resource";
  return answer({ code: 404, reason: "NotFound", message, details: {} });
}

/** 404: no such object. */
export function notFound(kind: StubKind, name: string): StubAnswer {
  const message = `${qualified(kind)} "${name}" not found`;
  return answer({ code: 404, reason: "NotFound", message, details: detailsOf(kind, name) });
}

/** 405. */
export function methodNotAllowed(): StubAnswer {
  const message = "the server does not allow this method on the requested resource";
  return answer({ code: 405, reason: "MethodNotAllowed", message, details: {} });
}

/** 409: made already. */
export function alreadyExists(kind: StubKind, name: string): StubAnswer {
  const message = `${qualified(kind)} "${name}" already exists`;
  return answer({ code: 409, reason: "AlreadyExists", message, details: detailsOf(kind, name) });
}

/** 409: not the version that was asked for, or `because` of something else. */
export function conflict(kind: StubKind, name: string, because: string = MODIFIED): StubAnswer {
  const message = `Operation cannot be fulfilled on ${qualified(kind)} "${name}": ${because}`;
  return answer({ code: 409, reason: "Conflict", message, details: detailsOf(kind, name) });
}

const MODIFIED =
  "the object has been modified; please apply your changes to the latest version and try again";

/** One field that somebody else owns. */
export interface OwnedField {
  /** `conflicts with "NAME"`, as the server says it of the owner. */
  readonly owner: string;
  readonly field: string;
}

/** 409: an apply without force wants what others own. */
export function applyConflict(fields: readonly OwnedField[]): StubAnswer {
  const owners = [...new Set(fields.map(({ owner }) => owner))].map((owner) => {
    const owned = fields.filter((each) => each.owner === owner).map(({ field }) => `\n- ${field}`);
    return `conflicts with ${owner}:${owned.join("")}`;
  });
  const [first] = fields;
  const words =
    fields.length === 1 && first !== undefined
      ? `1 conflict: conflict with ${first.owner}: ${first.field}`
      : `${fields.length} conflicts: ${owners.join("\n")}`;
  const causes = fields.map(({ owner, field }) => {
    return { reason: "FieldManagerConflict", message: `conflict with ${owner}`, field };
  });
  const message = `Apply failed with ${words}`;
  return answer({ code: 409, reason: "Conflict", message, details: { causes } });
}

/** 422: a field that the server does not accept. */
export function invalid(kind: string, name: string, field: string, because: string): StubAnswer {
  const message = `${kind} "${name}" is invalid: ${field}: ${because}`;
  const causes = [{ message: because, field }];
  return answer({ code: 422, reason: "Invalid", message, details: { name, kind, causes } });
}

/** 400. */
export function badRequest(message: string): StubAnswer {
  return answer({ code: 400, reason: "BadRequest", message });
}

/** 413. */
export function requestTooLarge(bytesMax: number): StubAnswer {
  const message = `Request entity too large: limit is ${bytesMax}`;
  return answer({ code: 413, reason: "RequestEntityTooLarge", message, details: {} });
}

/** 415. */
export function unsupportedMediaType(): StubAnswer {
  const message = "415: Unsupported Media Type";
  return answer({ code: 415, reason: "UnsupportedMediaType", message, details: {} });
}

/** 410 of a list: the snapshot that its pages are of is gone. */
export function continueExpired(inconsistent: string): StubAnswer {
  const message =
    "The provided continue parameter is too old to display a consistent list result. You can " +
    "start a new list without the continue parameter, or use the continue token in this response " +
    "to retrieve the remainder of the results. Continuing with the provided token results in an " +
    "inconsistent list - objects that were created, modified, or deleted between the time the " +
    "first chunk was returned and now may show up in the list.";
  return answer({ code: 410, reason: "Expired", message, metadata: { continue: inconsistent } });
}

/** 410 of a list of a version that is gone. */
export function listExpired(): StubAnswer {
  const message = "The resourceVersion for the provided list is too old.";
  return answer({ code: 410, reason: "Expired", message });
}

/** The object of an ERROR event: a watch of a version that is gone. */
export function watchExpired(asked: number, oldest: number): Json {
  const message = `too old resource version: ${asked} (${oldest})`;
  return statusBody({ code: 410, reason: "Expired", message });
}

/** 504 of a list of a version that is not there yet. */
export function versionTooLarge(asked: number, current: number): StubAnswer {
  const message = `Timeout: Too large resource version: ${asked}, current: ${current}`;
  const causes = [{ reason: "ResourceVersionTooLarge", message: "Too large resource version" }];
  const details = { causes, retryAfterSeconds: 1 };
  const body = statusBody({ code: 504, reason: "Timeout", message, details });
  return { status: 504, body, headers: { "Retry-After": "1" } };
}
