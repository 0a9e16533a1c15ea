// Makes the configuration of an access from inside a pod: the address from the environment, the
// service account's files. Given the environment and the folder of the files. Always https, as
// Kubernetes' own clients do it; client-node guesses http by the port.

import { existsSync } from "node:fs";
import { isIPv6 } from "node:net";
import { join } from "node:path";
import type { AccessConfig } from "./access-config.ts";
import { accessError } from "./access-error.ts";
import { serverOf } from "./server-url.ts";

/** Where a pod finds its service account. */
export const SERVICE_ACCOUNT_FOLDER = "/var/run/secrets/kubernetes.io/serviceaccount";

const REMEDY = "give --kubeconfig, or run in a pod with automountServiceAccountToken";

/** Reads the environment. Throws NOT_IN_CLUSTER. */
export function readInCluster(env: NodeJS.ProcessEnv, folder: string): AccessConfig {
  const host = env["KUBERNETES_SERVICE_HOST"] ?? "";
  const port = env["KUBERNETES_SERVICE_PORT"] ?? "";
  if (host === "" || port === "") {
    const missing = "KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set";
    throw accessError("NOT_IN_CLUSTER", `this is no pod: ${missing}; ${REMEDY}`);
  }
  const tokenFile = join(folder, "token");
  const caFile = join(folder, "ca.crt");
  for (const path of [tokenFile, caFile]) {
    if (!existsSync(path)) {
      throw accessError("NOT_IN_CLUSTER", `no service account: ${path} does not exist; ${REMEDY}`);
    }
  }
  const url = `https://${isIPv6(host) ? `[${host}]` : host}:${port}`;
  const server = serverOf(url, "the environment of the pod");
  return {
    context: "in-cluster",
    server,
    cluster: { name: "in-cluster", server, skipTLSVerify: false },
    user: { name: "service account" },
    pem: {
      ca: { kind: "file", what: "certificate-authority", path: caFile },
      certificate: undefined,
      key: undefined,
    },
    tokenFile,
    headers: {},
    exec: undefined,
  };
}
