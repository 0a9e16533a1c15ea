// How node names that TLS with the other side of a connection fails, and that in words. Pure.

const UNTRUSTED =
  /^(?:CERT_|ERR_TLS_|DEPTH_ZERO_SELF_SIGNED|SELF_SIGNED|UNABLE_TO_(?:GET_ISSUER|VERIFY)|HOSTNAME_MISMATCH)/u;

/** Whether the code of a socket's error says so. */
export function isUntrusted(code: string): boolean {
  return UNTRUSTED.test(code);
}

/** Somebody answered, and TLS did not come about. */
const NO_TLS = /^(?:ERR_SSL_|EPROTO)/u;
/** OpenSSL's word for what failed, between the names of its functions and files. */
const OPENSSL_REASON = /SSL routines:[^:]*:(?<reason>[^:]+):/u;
/** What OpenSSL says of an answer that is none of TLS's. */
const OTHER_PROTOCOL: ReadonlySet<string | undefined> = new Set([
  "wrong version number",
  "packet length too long",
  "http request",
]);
/** Node's advice to who starts node by hand, which an operator of ours does not. */
const ADVICE_OF_NODE = /; if the root CA is installed locally.*$/su;

/** Why TLS fails, in words for people; undefined where the error of a socket is another. */
export function tlsWords(cause: unknown): string | undefined {
  if (!(cause instanceof Error) || !("code" in cause)) return undefined;
  const code = String(cause.code);
  if (isUntrusted(code)) return `TLS fails: ${cause.message.replace(ADVICE_OF_NODE, "")}`;
  if (!NO_TLS.test(code)) return undefined;
  const reason = OPENSSL_REASON.exec(cause.message)?.groups?.["reason"];
  if (OTHER_PROTOCOL.has(reason)) return "what answers there does not speak TLS";
  return `TLS fails: ${reason ?? cause.message}`;
}
