// The door of kubeconfig: how a program reaches an apiserver.

export type { KubeAccessErrorCode } from "./access-error.ts";
export type { AccessOptions, KubeAccess } from "./kube-access.ts";
export { loadKubeAccess, type LoadKubeAccessOptions } from "./load-kube-access.ts";
