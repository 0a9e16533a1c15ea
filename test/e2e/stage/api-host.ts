// The host on which a real Kubernetes control plane runs, with its clients: one of ours outside,
// and kubectl on the control host. Given the lab and the control host, which gets the kubeconfig of
// the controller's user with the rights of deploy/rbac and no others.

import { dirname } from "node:path";
import { fileURLToPath } from "node:url";

import {
  type Cluster,
  type ClusterPrograms,
  type Host,
  type Lab,
  startCluster,
} from "@fairlead/lab";
import { createKubeClient, type KubeClient, type KubeObject } from "@fairlead/testkit";

import { toolPath } from "../../tools/tool-path.ts";

/** The controller's kubeconfig on the control host. */
export const KUBECONFIG = "/run/host/kubeconfig";
/** The user in it. */
export const CONTROLLER_USER = "fairlead";

/** The cluster of a stage. */
export interface ApiHost {
  readonly host: Host;
  readonly cluster: Cluster;
  /** Kubernetes as one who may do everything. */
  readonly kube: KubeClient;
  /** Runs kubectl on the control host, as one who may do everything, and gives what it wrote. */
  readonly kubectl: (args: readonly string[], input?: string) => Promise<string>;
}

const ADMIN_KUBECONFIG = "/run/host/admin.kubeconfig";
const KUBECTL_MS_MAX = 30_000;
/** Everything that is applied to a cluster for the controller: rights and kinds. */
export const DEPLOYED: readonly string[] = [
  "rbac/controller.yaml",
  "crds/store.yaml",
  "crds/addresspools.yaml",
].map((file) => fileURLToPath(new URL(`../../../deploy/${file}`, import.meta.url)));

/** The rights of deploy/rbac for a user instead of a service account. */
export const BINDINGS: readonly KubeObject[] = [
  binding("ClusterRole", { name: CONTROLLER_USER }),
  binding("Role", { name: CONTROLLER_USER, namespace: "fairlead-system" }),
];

function binding(kind: string, metadata: KubeObject["metadata"]): KubeObject {
  const apiGroup = "rbac.authorization.k8s.io";
  return {
    apiVersion: `${apiGroup}/v1`,
    kind: `${kind}Binding`,
    metadata,
    roleRef: { apiGroup, kind, name: "fairlead-controller" },
    subjects: [{ apiGroup, kind: "User", name: CONTROLLER_USER }],
  };
}

/** The real programs of a control plane. */
export function clusterPrograms(): ClusterPrograms {
  return {
    etcd: toolPath("etcd", "server"),
    apiserver: toolPath("kubernetes", "kube-apiserver"),
    controllerManager: toolPath("kubernetes", "kube-controller-manager"),
  };
}

/** The folders that whoever runs a cluster has to be able to read. */
export function clusterFolders(): readonly string[] {
  return [dirname(toolPath("etcd", "server")), dirname(toolPath("kubernetes", "kubectl"))];
}

/** Adds the host 10.77.0.6 and starts a cluster on it. */
export async function addApiHost(
  lab: Lab,
  control: Host,
  options: {
    readonly hasIpv6?: boolean;
    readonly prefixLength?: number;
    /** Hosts that get the controller's kubeconfig too. */
    readonly others?: readonly Host[];
    readonly apiserverFlags?: readonly string[];
  } = {},
): Promise<ApiHost> {
  const host = await lab.addHost("api", {
    address: `10.77.0.6/${options.prefixLength ?? 24}`,
    gateway: "10.77.0.1",
    ...(options.hasIpv6 === true ? { ipv6: "fd77::6/64" } : {}),
  });
  const users = [{ name: CONTROLLER_USER }];
  const { apiserverFlags = [] } = options;
  const programs = clusterPrograms();
  const cluster = await startCluster({ programs, host, users, apiserverFlags });
  const credentials = cluster.credentialsOf(CONTROLLER_USER);
  for (const one of [control, ...(options.others ?? [])]) {
    await one.writeFile(KUBECONFIG, cluster.kubeconfigFor(CONTROLLER_USER, credentials));
  }
  await control.writeFile(ADMIN_KUBECONFIG, cluster.adminKubeconfig());
  const kubectl = (args: readonly string[], input = ""): Promise<string> =>
    control.output(
      toolPath("kubernetes", "kubectl"),
      [`--kubeconfig=${ADMIN_KUBECONFIG}`, ...args],
      { input, timeoutMs: KUBECTL_MS_MAX },
    );
  const kube = createKubeClient(cluster.connect());
  await kubectl(["apply", ...DEPLOYED.map((file) => `--filename=${file}`)]);
  for (const one of BINDINGS) await kube.create(one);
  return { host, cluster, kube, kubectl };
}
