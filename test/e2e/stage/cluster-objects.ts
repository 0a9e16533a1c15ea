// Objects that stories make in a cluster without kubelets: nodes and pods, and what kubelets would
// have said of them. Given names and addresses.

import type { KubeClient, KubeKind, KubeObject } from "@fairlead/testkit";

/** Kinds that stories look at. */
export const KINDS: Readonly<
  Record<"service" | "node" | "pod" | "configMap" | "endpointSlice" | "event", KubeKind>
> = {
  service: { apiVersion: "v1", kind: "Service" },
  node: { apiVersion: "v1", kind: "Node" },
  pod: { apiVersion: "v1", kind: "Pod" },
  configMap: { apiVersion: "v1", kind: "ConfigMap" },
  endpointSlice: { apiVersion: "discovery.k8s.io/v1", kind: "EndpointSlice" },
  event: { apiVersion: "events.k8s.io/v1", kind: "Event" },
};

/** A pod of one container that nobody starts. */
export interface PodOptions {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** The node that it is said to be on; there is no scheduler. */
  readonly node: string;
}

/** A node, as it is before its kubelet has said anything. */
export function node(name: string, labels: Readonly<Record<string, string>> = {}): KubeObject {
  return { ...KINDS.node, metadata: { name, labels } };
}

/** A pod, as it is before its kubelet has said anything. */
export function pod(options: PodOptions): KubeObject {
  const { name, labels, node: nodeName } = options;
  const containers = [{ name: "main", image: "registry.invalid/main" }];
  return { ...KINDS.pod, metadata: { name, labels }, spec: { nodeName, containers } };
}

/** Makes a node and says that it is Ready at this address. */
export async function addReadyNode(
  kube: KubeClient,
  name: string,
  address: string,
): Promise<KubeObject> {
  await kube.create(node(name));
  const addresses = [{ type: "InternalIP", address }];
  return sayStatus(kube, { ...KINDS.node, name }, { addresses, conditions: [condition(true)] });
}

/** Makes a pod and says that it is Ready at this address. */
export async function addReadyPod(
  kube: KubeClient,
  options: PodOptions,
  address: string,
): Promise<KubeObject> {
  await kube.create(pod(options));
  return sayStatus(
    kube,
    { ...KINDS.pod, name: options.name },
    {
      phase: "Running",
      podIP: address,
      podIPs: [{ ip: address }],
      conditions: [condition(true)],
    },
  );
}

/** Says of a node or pod that it is Ready, or no longer. */
export function sayReady(
  kube: KubeClient,
  target: KubeKind & { readonly name: string },
  isReady: boolean,
): Promise<KubeObject> {
  return sayStatus(kube, target, { conditions: [condition(isReady)] });
}

function sayStatus(
  kube: KubeClient,
  target: KubeKind & { readonly name: string },
  status: unknown,
): Promise<KubeObject> {
  return kube.patch({ ...target, subresource: "status" }, { status }, { type: "strategic" });
}

function condition(isReady: boolean): unknown {
  return { type: "Ready", status: isReady ? "True" : "False" };
}
