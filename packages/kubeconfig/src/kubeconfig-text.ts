// For tests: the text of a kubeconfig with one context, "here", and a file of it.

import { writeFileSync } from "node:fs";
import { join } from "node:path";

/** The fields of the one cluster and the one user. */
export interface KubeconfigParts {
  readonly cluster: Readonly<Record<string, unknown>>;
  readonly user?: Readonly<Record<string, unknown>>;
}

/** The text of a kubeconfig: JSON, which is YAML. */
export function kubeconfigText(parts: KubeconfigParts): string {
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    "current-context": "here",
    clusters: [{ name: "home", cluster: parts.cluster }],
    users: [{ name: "me", user: parts.user ?? {} }],
    contexts: [{ name: "here", context: { cluster: "home", user: "me" } }],
  });
}

/** Writes a kubeconfig into `folder` and returns its path. */
export function writeKubeconfig(folder: string, parts: KubeconfigParts): string {
  const path = join(folder, "kubeconfig");
  writeFileSync(path, kubeconfigText(parts));
  return path;
}

/** As the data fields of a kubeconfig want it. */
export function toBase64(text: string): string {
  return Buffer.from(text).toString("base64");
}
