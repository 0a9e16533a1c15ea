// What externalTrafficPolicy: Local comes to where a load balancer stands before the members. Pure.

import type { RemarkList } from "./remarks.ts";
import type { ServiceObject } from "./service-object.ts";

/** A claim, as far as it matters here. */
export interface LocalTraffic {
  /** What asks for addresses. */
  readonly service: ServiceObject;
  /** The Service whose members get the traffic. */
  readonly behind: ServiceObject;
  readonly members: "endpoints" | "nodes";
}

/**
 * Says what Local does to traffic. Nodes obey it: kube-proxy drops what reaches a node without a
 * pod of the Service, and nothing tells us which nodes have one. Endpoints get everything, only
 * not with the client's address.
 */
export function remarkLocalTraffic(traffic: LocalTraffic, remarks: RemarkList): void {
  const { service, behind, members } = traffic;
  if (members === "nodes" && isLocal(behind)) {
    const { namespace = "default", name } = behind.metadata;
    const whose = behind === service ? "" : ` of Service ${namespace}/${name}`;
    remarks.remark(
      "PolicyNotServed",
      `externalTrafficPolicy Local${whose} is not served: members are nodes, and those without a ` +
        "pod of it drop what they get; set Cluster, or use --members endpoints",
    );
  } else if (isLocal(service)) {
    const detail = "externalTrafficPolicy Local is not served: members see the load balancer";
    remarks.remark("PolicyNotServed", detail);
  }
}

function isLocal({ spec }: ServiceObject): boolean {
  return spec.externalTrafficPolicy === "Local";
}
