// Services with three endpoints each and the EndpointSlices that a controller manager would write,
// as objects: for a controller that has no agents, where nothing is behind the addresses.

import type { KubeObject } from "@fairlead/testkit";

import { KINDS } from "../e2e/stage/cluster-objects.ts";
import { HTTP, service } from "../e2e/stage/manifests.ts";

const ENDPOINTS = 3;

/** Service `index` and its slice. */
export function crowdMember(index: number): readonly KubeObject[] {
  const name = `service-${String(index).padStart(5, "0")}`;
  const [object] = service({
    name,
    members: [],
    // Their ports would be used up by 2 768 Services.
    spec: { allocateLoadBalancerNodePorts: false },
  });
  return [object as KubeObject, sliceOf(name, index)];
}

function sliceOf(name: string, index: number): KubeObject {
  return {
    ...KINDS.endpointSlice,
    metadata: {
      name: `${name}-x7k2p`,
      labels: {
        "kubernetes.io/service-name": name,
        "endpointslice.kubernetes.io/managed-by": "bench",
      },
    },
    addressType: "IPv4",
    ports: [{ name: HTTP.name, protocol: "TCP", port: HTTP.targetPort }],
    endpoints: Array.from({ length: ENDPOINTS }, (_, at) => endpoint(name, index * ENDPOINTS + at)),
  };
}

function endpoint(name: string, number: number): unknown {
  return {
    addresses: [`10.${128 + (number >> 16)}.${(number >> 8) & 0xff}.${number & 0xff}`],
    conditions: { ready: true, serving: true, terminating: false },
    nodeName: `worker${number % 100}`,
    targetRef: { kind: "Pod", namespace: "default", name: `${name}-${number}` },
  };
}
