// Reads the four kinds of resource content into the model's closed types. Given a message and the
// name it travelled under; it never guesses a default and never throws.

import {
  familyBits,
  familyOf,
  type LaneResource,
  laneName,
  type ListenerResource,
  type Member,
  type MemberSetResource,
  memberSetName,
  parseAgentName,
  parseClaimId,
  parseDeviceName,
  type VipResource,
} from "@fairlead/model";
import type * as pb from "@fairlead/proto";
import { addressFromBytes } from "./address-bytes.ts";
import { complete, type Decoded, decodeAll, ok, refused, token, within } from "./decoded.ts";
import { decodeOrder } from "./lane-order.ts";
import { parseLaneId, parseResourceName } from "./resource-name.ts";
import { BALANCES, PROTOCOLS, PROXY_PROTOCOLS } from "./words.ts";

/** Longest time-out that a plan may carry: what a signed 32-bit number of milliseconds holds. */
const TIMEOUT_MS_MAX = 2 ** 31 - 1;
const COUNT_MAX = 2 ** 32 - 1;
const PORT_MAX = 65_535;
const WEIGHT_MAX = 256;
/** Bounds of VRRP adverts; see LaneResource. */
const ADVERT_MS_MIN = 30;
const ADVERT_MS_MAX = 10_000;

/** Reads a lane. */
export function decodeLane(name: string, lane: pb.Lane): Decoded<LaneResource> {
  const parts = parseLaneId(lane.lane);
  if (parts === undefined || laneName(parts.lane) !== name) return refused("lane: bad name");
  if (lane.segment !== parts.segment) return refused("lane: bad segment");
  if (lane.routerId !== parts.routerId) return refused("lane: bad router id");
  const order = decodeOrder(lane.order);
  if (order.kind === "refused") return order;
  const fields = complete("lane", {
    link: parseDeviceName(lane.link),
    order: order.value,
    advertIntervalMs: within(lane.advertIntervalMs, ADVERT_MS_MIN, ADVERT_MS_MAX),
    holder: lane.holder === "" ? ("" as const) : parseAgentName(lane.holder),
    intentId: lane.intentId === "" ? "" : token(lane.intentId),
  });
  if (fields.kind === "refused") return fields;
  const { holder, intentId, ...rest } = fields.value;
  return ok({
    kind: "lane",
    name: laneName(parts.lane),
    ...parts,
    ...rest,
    ...(holder === "" ? {} : { holder }),
    preempt: lane.preempt,
    ...(intentId === "" ? {} : { intentId }),
    ...(lane.yields ? { yields: true as const } : {}),
    ...(lane.listens ? { listens: true } : {}),
  });
}

/** Reads a VIP. */
export function decodeVip(name: string, vip: pb.Vip): Decoded<VipResource> {
  const parts = parseResourceName(name);
  if (parts?.kind !== "vip") return refused("vip: bad name");
  const address = addressFromBytes(vip.address);
  if (address !== parts.address) return refused("vip: bad address");
  const fields = complete("vip", {
    prefixLength: within(vip.prefixLength, 1, familyBits(familyOf(address))),
    carrier: readCarrier(vip),
    claims: readAll(vip.claims, parseClaimId),
  });
  if (fields.kind === "refused") return fields;
  return ok({ kind: "vip", name: parts.name, address, ...fields.value });
}

/** Reads a listener. */
export function decodeListener(name: string, listener: pb.Listener): Decoded<ListenerResource> {
  const parts = parseResourceName(name);
  if (parts?.kind !== "listener") return refused("listener: bad name");
  const { address, protocol, port } = parts;
  if (addressFromBytes(listener.address) !== address) return refused("listener: bad address");
  if (PROTOCOLS.word(listener.protocol) !== protocol) return refused("listener: bad protocol");
  if (listener.port !== port) return refused("listener: bad port");
  const members = memberSetName(address, protocol, port);
  if (listener.members !== members) return refused("listener: bad members");
  const seconds = listener.clientAffinitySeconds;
  const fields = complete("listener", {
    claim: parseClaimId(listener.claim),
    balance: BALANCES.word(listener.balance),
    proxyProtocol: PROXY_PROTOCOLS.word(listener.proxyProtocol),
    connectTimeoutMs: within(listener.connectTimeoutMs, 0, TIMEOUT_MS_MAX),
    idleTimeoutMs: within(listener.idleTimeoutMs, 0, TIMEOUT_MS_MAX),
    drainTimeoutMs: within(listener.drainTimeoutMs, 0, TIMEOUT_MS_MAX),
    connectionsMax: within(listener.connectionsMax, 0, COUNT_MAX),
  });
  if (fields.kind === "refused") return fields;
  const { connectionsMax, ...rest } = fields.value;
  return ok({
    kind: "listener",
    name: parts.name,
    address,
    protocol,
    port,
    members,
    ...rest,
    affinity:
      seconds === undefined ? { kind: "none" } : { kind: "client-ip", timeoutSeconds: seconds },
    acceptProxyProtocol: listener.acceptProxyProtocol,
    ...(connectionsMax === 0 ? {} : { connectionsMax }),
  });
}

/** Reads a member set. */
export function decodeMemberSet(name: string, set: pb.MemberSet): Decoded<MemberSetResource> {
  const parts = parseResourceName(name);
  if (parts?.kind !== "members") return refused("members: bad name");
  const members = decodeAll(set.members, decodeMember);
  if (members.kind === "refused") return members;
  return ok({ kind: "members", name: parts.name, members: members.value });
}

function decodeMember(member: pb.Member): Decoded<Member> {
  const fields = complete("member", {
    address: addressFromBytes(member.address),
    port: within(member.port, 1, PORT_MAX),
    weight: within(member.weight, 1, WEIGHT_MAX),
  });
  if (fields.kind === "refused") return fields;
  return ok({ ...fields.value, state: member.draining ? "draining" : "active" });
}

function readCarrier({ carrier, adopts }: pb.Vip): VipResource["carrier"] | undefined {
  if (carrier.case === "lane" && !adopts) {
    const lane = parseLaneId(carrier.value)?.lane;
    return lane && { kind: "lane", lane, resource: laneName(lane) };
  }
  const link = carrier.case === "link" ? parseDeviceName(carrier.value) : undefined;
  return link && { kind: "link", link, adopts };
}

function readAll<T>(
  texts: readonly string[],
  read: (text: string) => T | undefined,
): readonly T[] | undefined {
  const values: T[] = [];
  for (const text of texts) {
    const value = read(text);
    if (value === undefined) return undefined;
    values.push(value);
  }
  return values;
}
