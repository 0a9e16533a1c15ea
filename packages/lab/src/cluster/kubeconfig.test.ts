// Kubeconfigs, as text, for each way of being known.

import assert from "node:assert/strict";
import { test } from "node:test";
import { type Credentials, kubeconfigText } from "./kubeconfig.ts";

const cases: readonly { readonly credentials: Credentials; readonly lines: readonly string[] }[] = [
  { credentials: { kind: "token", token: "secret" }, lines: ["  user:", '    token: "secret"'] },
  {
    credentials: { kind: "token-file", path: "/run/token" },
    lines: ["  user:", '    tokenFile: "/run/token"'],
  },
  {
    credentials: { kind: "certificate", certificatePem: "PUBLIC", keyPem: "PRIVATE" },
    lines: [
      "  user:",
      "    client-certificate-data: UFVCTElD",
      "    client-key-data: UFJJVkFURQ==",
    ],
  },
  { credentials: { kind: "none" }, lines: ["  user: {}"] },
];
for (const { credentials, lines } of cases) {
  test(`kubeconfig: a user known by ${credentials.kind}`, () => {
    const server = "https://10.77.0.6:6443";
    const text = kubeconfigText({ server, caPem: "CA", user: "system:fairlead", credentials });
    assert.ok(text.includes(`\n- name: "system:fairlead"\n${lines.join("\n")}\ncontexts:\n`), text);
    assert.ok(text.includes(`    server: ${server}\n    certificate-authority-data: Q0E=\n`), text);
  });
}
