// How node names that the other side of a connection is not trusted.

const UNTRUSTED =
  /^(?:CERT_|ERR_TLS_|DEPTH_ZERO_SELF_SIGNED|SELF_SIGNED|UNABLE_TO_(?:GET_ISSUER|VERIFY)|HOSTNAME_MISMATCH)/u;

/** Whether the code of a socket's error says so. */
export function isUntrusted(code: string): boolean {
  return UNTRUSTED.test(code);
}
