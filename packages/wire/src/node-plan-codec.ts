// Resources of node plans to messages and back. Reading is strict: a value outside the closed types
// of the model, or a name that is not the one of the content, refuses that resource alone.

import { create } from "@bufbuild/protobuf";
import {
  assertNever,
  type LaneResource,
  type ListenerResource,
  type MemberSetResource,
  type Resource,
  type Revision,
  type VipResource,
} from "@fairlead/model";
import * as pb from "@fairlead/proto";
import { addressToBytes, revisionFromBytes, revisionToBytes } from "./address-bytes.ts";
import { type Decoded, ok, refused } from "./decoded.ts";
import { encodeOrder } from "./lane-order.ts";
import { decodeLane, decodeListener, decodeMemberSet, decodeVip } from "./node-plan-decode.ts";
import { BALANCES, PROTOCOLS, PROXY_PROTOCOLS } from "./words.ts";

/** A resource with the revision that its sender gave it. */
export interface RevisedResource {
  readonly resource: Resource;
  readonly revision: Revision;
}

/** Makes the message of a resource; without `revision` its field stays empty, as for hashing. */
export function encodeResource(resource: Resource, revision?: Revision): pb.Resource {
  return create(pb.ResourceSchema, {
    name: resource.name,
    revision: revisionToBytes(revision),
    content: encodeContent(resource),
  });
}

/**
 * Reads a resource. Whether `revision` is the one of the content is not checked here: the receiver
 * computes it with `Revisions.revisionOf` and compares.
 */
export function decodeResource(message: pb.Resource): Decoded<RevisedResource> {
  const revision = revisionFromBytes(message.revision);
  if (revision === undefined) return refused("resource: bad revision");
  const decoded = decodeContent(message);
  if (decoded.kind === "refused") return decoded;
  return ok({ resource: decoded.value, revision });
}

function decodeContent({ name, content }: pb.Resource): Decoded<Resource> {
  switch (content.case) {
    case "lane":
      return decodeLane(name, content.value);
    case "vip":
      return decodeVip(name, content.value);
    case "listener":
      return decodeListener(name, content.value);
    case "memberSet":
      return decodeMemberSet(name, content.value);
    case undefined:
      return refused("resource: content of an unknown kind");
    default:
      return assertNever(content, "kinds of content");
  }
}

function encodeContent(resource: Resource): pb.Resource["content"] {
  switch (resource.kind) {
    case "lane":
      return { case: "lane", value: encodeLane(resource) };
    case "vip":
      return { case: "vip", value: encodeVip(resource) };
    case "listener":
      return { case: "listener", value: encodeListener(resource) };
    case "members":
      return { case: "memberSet", value: encodeMemberSet(resource) };
    default:
      return assertNever(resource, "kinds of resources");
  }
}

function encodeLane(lane: LaneResource): pb.Lane {
  return create(pb.LaneSchema, {
    lane: lane.lane,
    segment: lane.segment,
    routerId: lane.routerId,
    link: lane.link,
    order: encodeOrder(lane.order),
    holder: lane.holder ?? "",
    preempt: lane.preempt,
    intentId: lane.intentId ?? "",
    advertIntervalMs: lane.advertIntervalMs,
    yields: lane.yields ?? false,
    listens: lane.listens === true,
  });
}

function encodeVip(vip: VipResource): pb.Vip {
  const { carrier } = vip;
  return create(pb.VipSchema, {
    address: addressToBytes(vip.address),
    prefixLength: vip.prefixLength,
    carrier:
      carrier.kind === "lane"
        ? { case: "lane", value: carrier.lane }
        : { case: "link", value: carrier.link },
    claims: [...vip.claims],
    adopts: carrier.kind === "link" && carrier.adopts,
  });
}

function encodeListener(listener: ListenerResource): pb.Listener {
  const { affinity } = listener;
  return create(pb.ListenerSchema, {
    address: addressToBytes(listener.address),
    protocol: PROTOCOLS.number(listener.protocol),
    port: listener.port,
    claim: listener.claim,
    members: listener.members,
    balance: BALANCES.number(listener.balance),
    ...(affinity.kind === "client-ip" ? { clientAffinitySeconds: affinity.timeoutSeconds } : {}),
    proxyProtocol: PROXY_PROTOCOLS.number(listener.proxyProtocol),
    acceptProxyProtocol: listener.acceptProxyProtocol,
    connectTimeoutMs: listener.connectTimeoutMs,
    idleTimeoutMs: listener.idleTimeoutMs,
    drainTimeoutMs: listener.drainTimeoutMs,
    connectionsMax: listener.connectionsMax ?? 0,
  });
}

function encodeMemberSet(set: MemberSetResource): pb.MemberSet {
  return create(pb.MemberSetSchema, {
    members: set.members.map((member) => ({
      address: addressToBytes(member.address),
      port: member.port,
      weight: member.weight,
      draining: member.state === "draining",
    })),
  });
}
