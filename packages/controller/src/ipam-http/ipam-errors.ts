// How a request to an IPAM fails, as one closed list. Given an HTTP status, or what node's sockets
// said. It names files and never what is in them.

import { EdgeError, isEdgeError } from "@fairlead/runtime";
import { z } from "zod";

import type { IpamErrorCode } from "../registrar/ports.ts";
import { isUntrusted, tlsWords } from "../tls-codes.ts";
import type { IpamFiles } from "./ipam-files.ts";

/** What an error is told with. */
export interface AskedWith {
  /** The request in words. */
  readonly what: string;
  readonly files: IpamFiles;
  /** Epoch ms. */
  readonly nowMs: number;
}

/** The error of a socket. */
export function socketError(
  { what, files }: AskedWith,
  cause: unknown,
  signal: AbortSignal,
): EdgeError<IpamErrorCode> {
  if (isEdgeError<IpamErrorCode>(cause)) return cause;
  if (signal.aborted) return made("TIMEOUT", `${what}: no answer came in time`);
  const name = cause instanceof Error && "code" in cause ? String(cause.code) : "";
  // Somebody answered, and it was no HTTP.
  if (name.startsWith("HPE_")) return made("BAD_ANSWER", `${what}: the answer is no HTTP`);
  if (name === "CERT_HAS_EXPIRED") {
    return made("UNTRUSTED", `${what}: its certificate has expired`, cause);
  }
  if (isUntrusted(name)) {
    const by = files.caPem === undefined ? "by this host" : `by ${files.caPath}`;
    const hint = files.caPem === undefined ? `; its CA may be put into ${files.caPath}` : "";
    return made("UNTRUSTED", `${what}: its certificate is not trusted ${by}${hint}`, cause);
  }
  const tls = tlsWords(cause);
  if (tls !== undefined) return made("UNTRUSTED", `${what}: ${tls}`);
  return made("UNREACHABLE", `${what}: it cannot be reached`, cause);
}

/** An answer that is not what an IPAM says. `why`: `is ...`. */
export function badAnswer(what: string, why: string): EdgeError<IpamErrorCode> {
  return made("BAD_ANSWER", `${what}: the answer ${why}`);
}

/** The error of a status with which nothing was decided; undefined: it is an answer. */
export function failedAnswer(
  asked: AskedWith,
  status: number,
): EdgeError<IpamErrorCode> | undefined {
  const { what } = asked;
  if (status === 401 || status === 403) {
    return made("FORBIDDEN", `${what}: HTTP ${status}, ${whyForbidden(asked, status)}`);
  }
  if (status === 429 || status >= 500) return made("SERVER", `${what}: HTTP ${status}`);
  return status >= 200 && (status < 300 || status >= 400)
    ? undefined
    : badAnswer(what, `is HTTP ${status}`);
}

function whyForbidden({ files, nowMs }: AskedWith, status: number): string {
  const { token, tokenPath } = files;
  if (token === undefined) return `it was asked without a token; there is no ${tokenPath}`;
  if (status === 403) return `the token in ${tokenPath} does not suffice for it`;
  const expiredMs = expiryMs(token);
  if (expiredMs === undefined || expiredMs > nowMs) return `it refuses the token in ${tokenPath}`;
  return `the token in ${tokenPath} has expired at ${new Date(expiredMs).toISOString()}`;
}

/** When a token ends that says so itself, as a JSON web token does (RFC 7519); epoch ms. */
function expiryMs(token: string): number | undefined {
  try {
    const payload = Buffer.from(token.split(".")[1] ?? "", "base64url").toString("utf8");
    const { exp } = CLAIMS.parse(JSON.parse(payload));
    return exp * 1000;
  } catch {
    return undefined;
  }
}

/** Up to the year 9999, so that it is a date. */
const CLAIMS = z.object({ exp: z.number().nonnegative().max(253_402_300_799) });

function made(code: IpamErrorCode, message: string, cause?: unknown): EdgeError<IpamErrorCode> {
  return new EdgeError({ code, message, retryable: true, cause });
}
