// The text of a kubeconfig as people have it. Given the cluster's address and authority, and who is
// to use it. Pure.

import { assertNever } from "@fairlead/model";
import type { Certificate } from "./certificates.ts";

/** By what a user is known. */
export type Credentials =
  | { readonly kind: "token"; readonly token: string }
  | ({ readonly kind: "certificate" } & Certificate)
  /** The token stands in a file of the host on which the kubeconfig is used. */
  | { readonly kind: "token-file"; readonly path: string }
  /** By nothing: the API server calls such a user anonymous. */
  | { readonly kind: "none" };

/** What a kubeconfig says. */
export interface KubeconfigOptions {
  readonly server: string;
  readonly caPem: string;
  readonly user: string;
  readonly credentials: Credentials;
}

/** The text, in YAML. */
export function kubeconfigText(options: KubeconfigOptions): string {
  const user = JSON.stringify(options.user);
  return `apiVersion: v1
kind: Config
clusters:
- name: lab
  cluster:
    server: ${options.server}
    certificate-authority-data: ${base64(options.caPem)}
users:
- name: ${user}
  user:${credentialLines(options.credentials)}
contexts:
- name: lab
  context:
    cluster: lab
    user: ${user}
current-context: lab
`;
}

function credentialLines(credentials: Credentials): string {
  switch (credentials.kind) {
    case "token":
      return `\n    token: ${JSON.stringify(credentials.token)}`;
    case "token-file":
      return `\n    tokenFile: ${JSON.stringify(credentials.path)}`;
    case "certificate":
      return (
        `\n    client-certificate-data: ${base64(credentials.certificatePem)}` +
        `\n    client-key-data: ${base64(credentials.keyPem)}`
      );
    case "none":
      return " {}";
    default:
      return assertNever(credentials, "unknown credentials");
  }
}

function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}
