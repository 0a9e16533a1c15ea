// How a request to an IPAM fails, as one closed list. Given an HTTP status, or what node's sockets
// said.

import { EdgeError, isEdgeError } from "@fairlead/runtime";

import type { IpamErrorCode } from "../registrar/ports.ts";
import { isUntrusted } from "../tls-codes.ts";

/** Somebody answered, and it was no TLS. */
const NO_TLS = /^(?:ERR_SSL_|EPROTO)/u;

/** The error of a socket. `what`: the request in words. */
export function socketError(
  what: string,
  cause: unknown,
  signal: AbortSignal,
): EdgeError<IpamErrorCode> {
  if (isEdgeError<IpamErrorCode>(cause)) return cause;
  if (signal.aborted) return made("TIMEOUT", `${what}: no answer came in time`);
  const name = cause instanceof Error && "code" in cause ? String(cause.code) : "";
  // Somebody answered, and it was no HTTP.
  if (name.startsWith("HPE_")) return made("BAD_ANSWER", `${what}: the answer is no HTTP`);
  if (isUntrusted(name) || NO_TLS.test(name)) {
    return made("UNTRUSTED", `${what}: TLS fails`, cause);
  }
  return made("UNREACHABLE", `${what}: it cannot be reached`, cause);
}

/** An answer that is not what an IPAM says. `why`: `is ...`. */
export function badAnswer(what: string, why: string): EdgeError<IpamErrorCode> {
  return made("BAD_ANSWER", `${what}: the answer ${why}`);
}

/** The error of a status with which nothing was decided; undefined: it is an answer. */
export function failedAnswer(what: string, status: number): EdgeError<IpamErrorCode> | undefined {
  if (status === 401 || status === 403) return made("FORBIDDEN", `${what}: HTTP ${status}`);
  if (status === 429 || status >= 500) return made("SERVER", `${what}: HTTP ${status}`);
  return status >= 200 && (status < 300 || status >= 400)
    ? undefined
    : badAnswer(what, `is HTTP ${status}`);
}

function made(code: IpamErrorCode, message: string, cause?: unknown): EdgeError<IpamErrorCode> {
  return new EdgeError({ code, message, retryable: true, cause });
}
