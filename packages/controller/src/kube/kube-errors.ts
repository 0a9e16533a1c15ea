// What can go wrong with a request to an API server, as one closed list. Given an HTTP answer or
// what node's sockets said. Texts of the server's are escaped and bounded; credentials never show.

import { EdgeError, escapeBounded } from "@fairlead/runtime";

import { isUntrusted, tlsWords } from "../tls-codes.ts";
import type { KubeRequest } from "./kube-client.ts";

/** How a request to an API server failed. */
export type KubeErrorCode =
  /** No connection: refused, reset, name not found, no route. */
  | "UNREACHABLE"
  /** No whole answer came in time. */
  | "TIMEOUT"
  /** The answer ended in the middle. */
  | "CUT"
  /** It was not sent: another controller leads. */
  | "NOT_LEADING"
  /** The server's certificate is not one that the configuration trusts. */
  | "UNTRUSTED"
  /** 401: the credentials are wrong or expired. */
  | "UNAUTHORIZED"
  /** 403: the user lacks a right. */
  | "FORBIDDEN"
  | "NOT_FOUND"
  /** 409: the object changed since it was read, or somebody else owns a field. */
  | "CONFLICT"
  /** 410: the resource version or the continuation is too old. */
  | "GONE"
  /** 400, 413, 415, 422: what was sent is not accepted, now or later. */
  | "INVALID"
  /** 429, or 503 with Retry-After. */
  | "THROTTLED"
  /** 5xx, or an answer that is not what the API promises. */
  | "SERVER";

/** A failed request. */
export class KubeError extends EdgeError<KubeErrorCode> {
  /** How long the server asks to be left alone, in ms; absent when it does not ask. */
  readonly retryAfterMs: number | undefined;

  constructor(options: {
    readonly code: KubeErrorCode;
    readonly message: string;
    readonly retryAfterMs?: number | undefined;
    readonly cause?: unknown;
  }) {
    super({ ...options, retryable: !PERMANENT.has(options.code) });
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** What the same request will meet again. */
const PERMANENT: ReadonlySet<KubeErrorCode> = new Set(["INVALID", "NOT_FOUND"]);

/** Characters of the server's own words that are kept. */
const WORDS_MAX = 300;
/** The longest that a server may ask to be left alone, in ms. */
const RETRY_AFTER_MS_MAX = 60_000;

const BY_STATUS: ReadonlyMap<number, KubeErrorCode> = new Map([
  [400, "INVALID"],
  [401, "UNAUTHORIZED"],
  [403, "FORBIDDEN"],
  [404, "NOT_FOUND"],
  [405, "INVALID"],
  [409, "CONFLICT"],
  [410, "GONE"],
  [413, "INVALID"],
  [415, "INVALID"],
  [422, "INVALID"],
  [429, "THROTTLED"],
]);

/** An HTTP answer as far as its error follows from it. */
export interface BadAnswer {
  readonly status: number;
  readonly retryAfter: string | undefined;
  /** The body: a Status object, or anything. */
  readonly body: unknown;
}

/** The error of an answer that is no success. */
export function answerError(request: KubeRequest, answer: BadAnswer): KubeError {
  const { status, retryAfter } = answer;
  const retryAfterMs = readRetryAfter(retryAfter);
  const isBusy = status === 503 && retryAfterMs !== undefined;
  const code = BY_STATUS.get(status) ?? (isBusy ? "THROTTLED" : "SERVER");
  const words = statusWords(answer.body);
  const message = `${requestWords(request)}: ${words === "" ? `HTTP ${status}` : words}`;
  return new KubeError({ code, message, retryAfterMs });
}

/** The error of an ERROR event inside a watch: a Status object with a code of its own. */
export function eventError(request: KubeRequest, status: unknown): KubeError {
  const code = field(status, "code");
  const body = { status: typeof code === "number" ? code : 500, retryAfter: undefined };
  return answerError(request, { ...body, body: status });
}

/** The error of a socket. */
export function socketError(request: KubeRequest, cause: unknown): KubeError {
  const name = cause instanceof Error && "code" in cause ? String(cause.code) : "";
  const said = `${requestWords(request)}:`;
  if (name.startsWith("HPE_")) {
    // Somebody answered, and it was no HTTP.
    return new KubeError({ code: "SERVER", message: `${said} the answer is no HTTP`, cause });
  }
  const code = isUntrusted(name) ? "UNTRUSTED" : "UNREACHABLE";
  const tls = tlsWords(cause);
  if (tls !== undefined) {
    return new KubeError({ code, message: `${said} the API server cannot be reached: ${tls}` });
  }
  return new KubeError({ code, message: `${said} the API server cannot be reached`, cause });
}

/** The same error; where nobody answered, with the proxy variable that is set and not used. */
export function withProxyHint(error: unknown, variable: string | undefined): unknown {
  if (variable === undefined || !isKubeError(error, "UNREACHABLE", "TIMEOUT")) return error;
  const hint = `${variable} is set and not used: a proxy is named by proxy-url in the kubeconfig`;
  const { code, cause } = error;
  return new KubeError({ code, message: `${error.message} (${hint})`, cause });
}

/** `GET /api/v1/services`. */
export function requestWords({ method, path }: KubeRequest): string {
  return `${method} ${escapeBounded(path, WORDS_MAX)}`;
}

/** Whether it is a failed request, and one with `code` when that is given. */
export function isKubeError(
  error: unknown,
  ...codes: readonly KubeErrorCode[]
): error is KubeError {
  return error instanceof KubeError && (codes.length === 0 || codes.includes(error.code));
}

/** Seconds, as API servers write it; a date is not read (RFC 9110, 10.2.3, has both). */
function readRetryAfter(text: string | undefined): number | undefined {
  if (text === undefined || !/^\d{1,9}$/u.test(text.trim())) return undefined;
  return Math.min(Number(text) * 1000, RETRY_AFTER_MS_MAX);
}

function statusWords(body: unknown): string {
  const message = field(body, "message");
  if (typeof message === "string") return escapeBounded(message.trim(), WORDS_MAX);
  return typeof body === "string" ? escapeBounded(body.trim(), WORDS_MAX) : "";
}

function field(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null) return undefined;
  return Object.entries(value).find(([key]) => key === name)?.[1];
}
