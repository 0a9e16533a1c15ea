// How the three programs of a cluster are started: their flags and the files that they read. Given
// addresses and ports. Pure. It takes what makes a start short and leaves out what only makes
// noise.

/** What the flags follow from. */
export interface FlagOptions {
  readonly dir: string;
  /** Where the servers listen. */
  readonly address: string;
  readonly ports: ClusterPorts;
  /** Whether the API server may name itself as an endpoint of its own Service. */
  readonly isReachable: boolean;
  /** Added to those of the API server. */
  readonly apiserverFlags: readonly string[];
}

/** The ports of a cluster. */
export interface ClusterPorts {
  readonly etcd: number;
  readonly etcdPeers: number;
  readonly apiserver: number;
  readonly controllerManager: number;
}

/** The ports that people know. */
export const USUAL_PORTS: ClusterPorts = {
  etcd: 2379,
  etcdPeers: 2380,
  apiserver: 6443,
  controllerManager: 10_257,
};

/** Names in the API server's certificate, besides that of its host. */
export const SERVER_NAMES = ["kubernetes", "kubernetes.default.svc"] as const;

/** Addresses of Services, of both families. No network of the lab may overlap them. */
export const SERVICE_RANGES: readonly string[] = ["10.96.0.0/16", "fd96::/108"];

/**
 * The controllers that something of ours depends on: those that write what we read, those that
 * clear up, the one that fills the roles view and edit, and those by which a test scales pods. None
 * needs a cloud, and none acts on nodes.
 */
const CONTROLLERS = [
  "endpoints-controller",
  "endpointslice-controller",
  "endpointslice-mirroring-controller",
  "namespace-controller",
  "garbage-collector-controller",
  "clusterrole-aggregation-controller",
  "deployment-controller",
  "replicaset-controller",
] as const;

/** The line by which etcd says that it answers. */
export const ETCD_ANSWERS: RegExp = /ready to serve client requests/;

/** The line by which the controller manager says that it makes EndpointSlices. */
export const MAKES_SLICES: RegExp =
  /endpointslice_controller.*Starting service queue worker threads/;

/** Files below the cluster's folder. */
export const FILES = {
  etcdData: "etcd",
  serverCertificate: "server.crt",
  serverKey: "server.key",
  clientAuthority: "ca.crt",
  tokens: "tokens.csv",
  accountKey: "accounts.key",
  auditPolicy: "audit-policy.yaml",
  auditLog: "audit.log",
  controllerManagerConfig: "controller-manager.kubeconfig",
} as const;

/** Who did what, without what was said: one line for each request that has ended. */
export const AUDIT_POLICY = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
omitManagedFields: true
rules:
- level: Metadata
`;

/** One more than ever fits in memory: nothing is rotated away under a reader. */
const AUDIT_MEGABYTES_MAX = 100_000;

/** The flags of etcd. */
export function etcdFlags({ dir, address, ports }: FlagOptions): readonly string[] {
  const client = `http://${address}:${ports.etcd}`;
  const peer = `http://${address}:${ports.etcdPeers}`;
  return [
    `--data-dir=${dir}/${FILES.etcdData}`,
    // Whoever loses this machine's power loses the test too.
    "--unsafe-no-fsync",
    `--listen-client-urls=${client}`,
    `--advertise-client-urls=${client}`,
    `--listen-peer-urls=${peer}`,
    `--initial-advertise-peer-urls=${peer}`,
    `--initial-cluster=default=${peer}`,
  ];
}

/** The flags of the API server. */
export function apiserverFlags(options: FlagOptions): readonly string[] {
  const { dir, address, ports, isReachable } = options;
  const key = `${dir}/${FILES.accountKey}`;
  return [
    `--bind-address=${isReachable ? "::" : address}`,
    `--advertise-address=${address}`,
    `--endpoint-reconciler-type=${isReachable ? "lease" : "none"}`,
    `--secure-port=${ports.apiserver}`,
    `--etcd-servers=http://${address}:${ports.etcd}`,
    `--service-cluster-ip-range=${SERVICE_RANGES.join(",")}`,
    "--authorization-mode=RBAC",
    // It would make pods wait for an account that no controller here makes.
    "--disable-admission-plugins=ServiceAccount",
    `--cert-dir=${dir}`,
    `--tls-cert-file=${dir}/${FILES.serverCertificate}`,
    `--tls-private-key-file=${dir}/${FILES.serverKey}`,
    `--client-ca-file=${dir}/${FILES.clientAuthority}`,
    `--token-auth-file=${dir}/${FILES.tokens}`,
    "--service-account-issuer=https://kubernetes.default.svc",
    `--service-account-key-file=${key}`,
    `--service-account-signing-key-file=${key}`,
    `--audit-policy-file=${dir}/${FILES.auditPolicy}`,
    `--audit-log-path=${dir}/${FILES.auditLog}`,
    `--audit-log-maxsize=${AUDIT_MEGABYTES_MAX}`,
    ...options.apiserverFlags,
  ];
}

/** The flags of the controller manager. */
export function controllerManagerFlags({ dir, address, ports }: FlagOptions): readonly string[] {
  return [
    `--kubeconfig=${dir}/${FILES.controllerManagerConfig}`,
    `--bind-address=${address}`,
    `--secure-port=${ports.controllerManager}`,
    `--tls-cert-file=${dir}/${FILES.serverCertificate}`,
    `--tls-private-key-file=${dir}/${FILES.serverKey}`,
    `--controllers=${CONTROLLERS.join(",")}`,
    "--leader-elect=false",
    // Its usual 20 requests a second would be what a test measures.
    "--kube-api-qps=500",
    "--kube-api-burst=1000",
    "--v=2",
  ];
}
