// What an operator reads when TLS fails: node's and OpenSSL's own words as they were met, and what
// is left of them.

import assert from "node:assert/strict";
import { test } from "node:test";

import { tlsWords } from "./tls-codes.ts";

const ssl = (reason: string): string =>
  `write EPROTO 401D0816477F0000:error:0A00010B:SSL routines:tls_validate_record_header:${reason}:` +
  "../deps/openssl/openssl/ssl/record/methods/tlsany_meth.c:77:\n";

const cases: readonly (readonly [string, string, string, string | undefined])[] = [
  [
    "a port of plain HTTP",
    "EPROTO",
    ssl("wrong version number"),
    "what answers there does not speak TLS",
  ],
  [
    "a server that wants a certificate",
    "ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED",
    ssl("tlsv13 alert certificate required"),
    "TLS fails: tlsv13 alert certificate required",
  ],
  [
    "a certificate that nobody signed",
    "DEPTH_ZERO_SELF_SIGNED_CERT",
    "self-signed certificate; if the root CA is installed locally, try running Node.js with " +
      "--use-system-ca",
    "TLS fails: self-signed certificate",
  ],
  ["words that are not known", "EPROTO", "something new", "TLS fails: something new"],
  ["a port where nobody listens", "ECONNREFUSED", "connect ECONNREFUSED 127.0.0.1:1", undefined],
];

for (const [name, code, message, words] of cases) {
  test(`TLS with ${name}`, () =>
    assert.equal(tlsWords(Object.assign(new Error(message), { code })), words));
}

test("what is no error of a socket has no words of TLS", () => {
  assert.equal(tlsWords(undefined), undefined);
  assert.equal(tlsWords(new Error("x")), undefined);
});
