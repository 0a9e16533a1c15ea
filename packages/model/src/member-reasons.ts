// Reasons about members of a Service: a part of the table of reasons, which is exported there.
// Values alone.

import type { ReasonEntry } from "./reason-table.ts";

/** Reasons why a Service has fewer members than it should. */
export const MEMBER_REASONS: Readonly<
  Record<"NoMembers" | "BadMember" | "UnknownTargetPort" | "NoNodePort", ReasonEntry>
> = {
  NoMembers: {
    code: "FL0501",
    title: "There is no member, so connections are refused by the load balancer.",
    remedy: "Start a pod or node that backs the Service.",
  },
  BadMember: {
    code: "FL0502",
    title:
      "A member is left out: one too many, without an address, or at one that is never a member's.",
    remedy:
      "Read its words: correct the EndpointSlice or the Node, or share the load among Services.",
  },
  UnknownTargetPort: {
    code: "FL0503",
    title: "No EndpointSlice has the port that the Service names.",
    remedy: "Name a port that the pods have.",
  },
  NoNodePort: {
    code: "FL0504",
    title: "Members are nodes, and the port has no NodePort.",
    remedy: "Set allocateLoadBalancerNodePorts to true, or use --members endpoints.",
  },
};
