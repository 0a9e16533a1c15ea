// Checks certificates and keys before they are used, as TLS itself reports them late and in
// riddles. Given PEM texts and what they are. Messages hold dates and places, never what stands in
// a file.

import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { accessError } from "./access-error.ts";

/** One PEM text with the words for it in messages. */
export interface Pem {
  readonly what: string;
  readonly pem: string;
}

/** A client certificate with its key. */
export interface ClientPair {
  readonly certificate: Pem;
  readonly key: Pem;
}

const BLOCK = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/gu;

/** Throws MALFORMED when there is no certificate, or one that does not parse. */
export function checkAuthority(ca: Pem): void {
  for (const block of blocksOf(ca)) parseCertificate(block, ca.what);
}

/**
 * The time in epoch milliseconds at which the certificate ends. Throws MALFORMED when certificate
 * or key does not parse, or when they do not belong together.
 */
export function checkClientPair(pair: ClientPair): number {
  const [leaf = ""] = blocksOf(pair.certificate);
  const certificate = parseCertificate(leaf, pair.certificate.what);
  if (!certificate.checkPrivateKey(parseKey(pair.key))) {
    const why = `the key in ${pair.key.what} does not fit it`;
    throw accessError("MALFORMED", `${pair.certificate.what}: ${why}`);
  }
  return Date.parse(certificate.validTo);
}

/** Throws CREDENTIALS when the end is not after `nowMs`. */
export function checkNotExpired(what: string, endMs: number, nowMs: number): void {
  if (endMs > nowMs) return;
  const date = new Date(endMs).toISOString();
  const todo = "have a new one issued (kubeadm certs renew, or the admin of the cluster)";
  throw accessError("CREDENTIALS", `${what}: the certificate expired on ${date}; ${todo}`, true);
}

function blocksOf(pem: Pem): readonly string[] {
  const blocks = pem.pem.match(BLOCK);
  if (blocks !== null) return blocks;
  throw accessError("MALFORMED", `${pem.what} holds no certificate in PEM`);
}

function parseCertificate(block: string, what: string): X509Certificate {
  try {
    return new X509Certificate(block);
  } catch {
    throw accessError("MALFORMED", `${what} holds a certificate that does not parse`);
  }
}

function parseKey(key: Pem): KeyObject {
  if (/^-----BEGIN ENCRYPTED|^Proc-Type: .*ENCRYPTED/mu.test(key.pem)) {
    throw accessError("MALFORMED", `${key.what} holds a key with a passphrase; give one without`);
  }
  try {
    return createPrivateKey(key.pem);
  } catch {
    throw accessError("MALFORMED", `${key.what} holds no private key that parses`);
  }
}
