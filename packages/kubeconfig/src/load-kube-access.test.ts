// What is said of kubeconfigs that cannot be used: clear, bounded, and never with a secret.

import assert from "node:assert/strict";
import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { isEdgeError } from "@fairlead/runtime";
import type { KubeAccessErrorCode } from "./access-error.ts";
import { kubeconfigText, toBase64 } from "./kubeconfig-text.ts";
import { loadKubeAccess } from "./load-kube-access.ts";
import { makeAuthority } from "./made-certificates.ts";

const ROOT = mkdtempSync(join(tmpdir(), "fairlead-kubeconfig-"));
after(() => rmSync(ROOT, { recursive: true, force: true }));
const AUTHORITY = makeAuthority(ROOT);
const ADMIN = AUTHORITY.issue({ name: "admin" });
const OTHER = AUTHORITY.issue({ name: "other" });
const EXPIRED = AUTHORITY.issue({ name: "old", days: -1 });
/** Stands wherever a secret may stand; no message may have it. */
const SECRET = "hunter2hunter2";
const HOME = { server: "https://10.0.0.1:6443" };

const of = (user: Readonly<Record<string, unknown>>): string =>
  kubeconfigText({ cluster: HOME, user: { token: SECRET, ...user } });
const at = (cluster: Readonly<Record<string, unknown>>): string =>
  kubeconfigText({ cluster: { ...HOME, ...cluster }, user: { token: SECRET } });
const pair = (certificate: string, key: string): string =>
  of({ "client-certificate-data": toBase64(certificate), "client-key-data": toBase64(key) });
const contexts = (text: string): string =>
  `{kind: Config, clusters: [{name: c, cluster: {server: "https://a"}}], users: [], ${text}}`;

const cases: readonly {
  readonly name: string;
  readonly text: string;
  readonly context?: string;
  readonly code: KubeAccessErrorCode;
  readonly says: RegExp;
}[] = [
  {
    name: "larger than 1 MiB",
    text: "#".repeat(1024 * 1024 + 1),
    code: "UNREADABLE",
    says: /has 1048577 bytes, at most 1048576/,
  },
  {
    name: "no YAML",
    text: `apiVersion: v1\ntoken: "${SECRET}\nkind: x\n`,
    code: "MALFORMED",
    says: /is no YAML: line \d+: [A-Z_]+$/,
  },
  {
    name: "a tab where YAML has none",
    text: `kind: Config\nusers:\n\t- ${SECRET}\n`,
    code: "MALFORMED",
    says: /is no YAML: line 3:/,
  },
  { name: "empty", text: "", code: "MALFORMED", says: /is no kubeconfig: it holds no mapping/ },
  {
    name: "a list",
    text: `["${SECRET}"]`,
    code: "MALFORMED",
    says: /is no kubeconfig: it holds no mapping/,
  },
  {
    name: "another object of Kubernetes",
    text: `{"kind": "Secret", "data": {"a": "${SECRET}"}}`,
    code: "MALFORMED",
    says: /is no kubeconfig: its kind is "Secret", not "Config"/,
  },
  {
    name: "JSON of something else",
    text: `{"password": "${SECRET}"}`,
    code: "MALFORMED",
    says: /is no kubeconfig: it has no clusters or no contexts/,
  },
  { name: "nested deeply", text: "[".repeat(20_000), code: "MALFORMED", says: /line|nested/ },
  {
    name: "aliases that blow up",
    text: `a: &a [x]\nb: &b [${"*a,".repeat(40)}]\nc: &c [${"*b,".repeat(40)}]\nkind: *c\n`,
    code: "MALFORMED",
    says: /too many aliases/,
  },
  {
    name: "no current context",
    text: contexts("contexts: [{name: one, context: {cluster: c}}, {name: two, context: {}}]"),
    code: "NO_CONTEXT",
    says: /does not say which context.*there are: "one", "two"$/,
  },
  {
    name: "a context that does not exist",
    text: contexts("contexts: [{name: one, context: {cluster: c}}], current-context: one"),
    context: "three",
    code: "NO_CONTEXT",
    says: /has no context "three"; there are: "one"$/,
  },
  {
    name: "a hundred contexts, and not that one",
    text: JSON.stringify({
      clusters: [],
      contexts: Array.from({ length: 100 }, (_, index) => ({ name: `context-${index}` })),
    }),
    context: "x",
    code: "NO_CONTEXT",
    says: /"context-0", .*"context-9" and 90 more$/,
  },
  {
    name: "a context without a cluster",
    text: contexts("contexts: [{name: one, context: {}}], current-context: one"),
    code: "MALFORMED",
    says: /context "one" of .* names no cluster/,
  },
  {
    name: "a cluster that does not exist",
    text: contexts("contexts: [{name: one, context: {cluster: d}}], current-context: one"),
    code: "MALFORMED",
    says: /names the cluster "d", which does not exist; there are: "c"/,
  },
  {
    name: "a user that does not exist",
    text: contexts("contexts: [{name: one, context: {cluster: c, user: u}}], current-context: one"),
    code: "MALFORMED",
    says: /names the user "u", which does not exist; there are: none/,
  },
  { name: "no server", text: at({ server: "" }), code: "MALFORMED", says: /names no server/ },
  {
    name: "a server without a scheme",
    text: at({ server: "10.0.0.1:6443" }),
    code: "MALFORMED",
    says: /cluster "home" of .*: its server is no URL with http/,
  },
  {
    name: "a password in the server",
    text: at({ server: `https://me:${SECRET}@a` }),
    code: "MALFORMED",
    says: /its server holds a user or a password/,
  },
  {
    name: "a proxy of an unknown kind",
    text: at({ "proxy-url": `ftp://me:${SECRET}@a` }),
    code: "MALFORMED",
    says: /its proxy-url is no URL with http:\/\/, .*socks5/,
  },
  {
    name: "an authority in rubbish instead of base64",
    text: at({ "certificate-authority-data": `%${SECRET}` }),
    code: "MALFORMED",
    says: /certificate-authority-data is no base64/,
  },
  {
    name: "an authority that is no PEM",
    text: at({ "certificate-authority-data": toBase64(SECRET) }),
    code: "MALFORMED",
    says: /certificate-authority-data of cluster "home" .* holds no certificate in PEM/,
  },
  {
    name: "an authority that does not parse",
    text: at({
      "certificate-authority-data": toBase64(AUTHORITY.ca.replaceAll(/^[A-Za-z0-9]{10}/gm, "AAAA")),
    }),
    code: "MALFORMED",
    says: /holds a certificate that does not parse/,
  },
  {
    name: "an authority in a file that is not there",
    text: at({ "certificate-authority": "pki/ca.crt" }),
    code: "NOT_FOUND",
    says: /cannot read certificate-authority ".*\/case-[^/]*\/pki\/ca\.crt": it does not exist/,
  },
  {
    name: "an expired client certificate",
    text: pair(EXPIRED.certificate, EXPIRED.key),
    code: "CREDENTIALS",
    says: /client-certificate-data of user "me" .*expired on 20\d\d-\d\d-\d\dT.*new one/,
  },
  {
    name: "a key of another certificate",
    text: pair(ADMIN.certificate, OTHER.key),
    code: "MALFORMED",
    says: /the key in client-key-data of user "me" .* does not fit it/,
  },
  {
    name: "a key that is none",
    text: pair(ADMIN.certificate, SECRET),
    code: "MALFORMED",
    says: /holds no private key that parses/,
  },
  {
    name: "a key with a passphrase",
    text: pair(ADMIN.certificate, `-----BEGIN ENCRYPTED PRIVATE KEY-----\n${SECRET}\n`),
    code: "MALFORMED",
    says: /holds a key with a passphrase/,
  },
  {
    name: "a certificate without its key",
    text: of({ "client-certificate-data": toBase64(ADMIN.certificate) }),
    code: "MALFORMED",
    says: /client-certificate-data of user "me" .* is there and its key is not/,
  },
  {
    name: "an authenticator that Kubernetes gave up",
    text: of({ "auth-provider": { name: "gcp", config: { "access-token": SECRET } } }),
    code: "MALFORMED",
    says: /auth-provider "gcp" is not known; use an exec plugin/,
  },
  {
    name: "a token that is a number",
    text: of({ token: 12345678 }),
    code: "MALFORMED",
    says: /user "me" of .*: token must be a text/,
  },
  {
    name: "groups without a user to act as",
    text: of({ "as-groups": ["ops"] }),
    code: "MALFORMED",
    says: /impersonates without a user/,
  },
  {
    name: "a plugin without a command",
    text: of({ exec: { apiVersion: "client.authentication.k8s.io/v1" } }),
    code: "MALFORMED",
    says: /exec has no command/,
  },
  {
    name: "a plugin of another time",
    text: of({ exec: { apiVersion: "client.authentication.k8s.io/v1alpha1", command: "a" } }),
    code: "MALFORMED",
    says: /its apiVersion must be client\.authentication\.k8s\.io\/v1/,
  },
  {
    name: "a plugin that wants a terminal",
    text: of({
      exec: {
        apiVersion: "client.authentication.k8s.io/v1",
        command: "a",
        interactiveMode: "Always",
      },
    }),
    code: "MALFORMED",
    says: /wants a terminal always/,
  },
];

for (const c of cases) {
  test(`refused: ${c.name}`, () => {
    const path = join(mkdtempSync(join(ROOT, "case-")), "config");
    writeFileSync(path, c.text);
    assert.throws(() => loadKubeAccess({ kubeconfig: path, context: c.context }), isRefusal(c));
  });
}

function isRefusal(c: { readonly code: KubeAccessErrorCode; readonly says: RegExp }) {
  return (error: unknown): boolean => {
    assert.ok(isEdgeError(error), String(error));
    assert.match(error.message, c.says);
    assert.equal(error.code, c.code, error.message);
    assert.ok(error.message.length <= 600 && !error.message.includes(SECRET), error.message);
    assert.equal(error.cause, undefined, "a cause may hold what the message must not");
    return true;
  };
}

test("refused: a file that is not there", () => {
  const path = join(ROOT, "nowhere");
  const says = /cannot read kubeconfig ".*\/nowhere": it does not exist/;
  assert.throws(() => loadKubeAccess({ kubeconfig: path }), isRefusal({ code: "NOT_FOUND", says }));
});

test("refused: a folder", () => {
  const path = join(ROOT, "folder");
  mkdirSync(path);
  const says = /cannot read kubeconfig ".*\/folder": it is a folder/;
  assert.throws(
    () => loadKubeAccess({ kubeconfig: path }),
    isRefusal({ code: "UNREADABLE", says }),
  );
});

test("a broken entry that nobody uses hurts nobody", () => {
  const path = join(ROOT, "mixed");
  const config = JSON.parse(of({})) as { readonly clusters: unknown[]; readonly users: unknown[] };
  config.clusters.unshift(null, { cluster: {} }, { name: "bad", cluster: { server: 7 } });
  config.users.unshift("x", { name: "bad", user: { "client-key-data": "%" } });
  writeFileSync(path, JSON.stringify(config));
  assert.equal(loadKubeAccess({ kubeconfig: path }).server, HOME.server);
});
