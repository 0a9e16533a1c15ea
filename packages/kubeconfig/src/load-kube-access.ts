// Where a program begins: a kubeconfig file or the pod's own service account becomes an access.
// Given the path, the context and the environment. Reads files at once and connects to nothing.

import { createSystemClock } from "@fairlead/runtime";
import { readInCluster, SERVICE_ACCOUNT_FOLDER } from "./in-cluster.ts";
import { createKubeAccess, type KubeAccess } from "./kube-access.ts";
import { readKubeconfig } from "./read-kubeconfig.ts";
import { proxyVariable } from "./server-url.ts";

/** Which apiserver. */
export interface LoadKubeAccessOptions {
  /** Path of a kubeconfig. Undefined: this program runs in a pod and uses its service account. */
  readonly kubeconfig: string | undefined;
  /** A context of the kubeconfig. Undefined: its current-context. */
  readonly context?: string | undefined;
  /** Default: the environment of this process. Credential plugins get it too. */
  readonly env?: NodeJS.ProcessEnv;
}

/** Loads an access. Throws EdgeError<KubeAccessErrorCode>. */
export function loadKubeAccess(options: LoadKubeAccessOptions): KubeAccess {
  const env = options.env ?? process.env;
  const clock = createSystemClock();
  if (options.kubeconfig === undefined) {
    return createKubeAccess({ config: readInCluster(env, SERVICE_ACCOUNT_FOLDER), env, clock });
  }
  const config = readKubeconfig(options.kubeconfig, options.context);
  const access = createKubeAccess({ config, env, clock });
  const isDirect = config.cluster.proxyUrl === undefined;
  return { ...access, unusedProxy: isDirect ? proxyVariable(config.server, env) : undefined };
}
