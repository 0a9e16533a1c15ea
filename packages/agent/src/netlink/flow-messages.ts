// Messages of connection tracking (nfnetlink) and of socket diagnosis: which flows go to a target,
// forget one, end its socket. Many changes fit into one buffer; the kernel takes them one after
// another and answers only what is wrong. Pure.

import { endianness } from "node:os";
import type { Address, Family, Protocol } from "@fairlead/model";
import type { MemberFlow } from "../ports.ts";
import { addressBytes, addressFromBytes, FAMILY_NUMBERS, familyNumber } from "./address-bytes.ts";
import { attribute, attributesOf, nested } from "./attributes.ts";
import { rawMessage } from "./raw-message.ts";

/** IPCTNL_MSG_CT_GET and _DELETE of NFNL_SUBSYS_CTNETLINK (linux/netfilter/nfnetlink.h). */
export const FLOWS_GET = 0x101;
const FLOW_DELETE = 0x102;
/** NETLINK_SOCK_DIAG (netlink(7)): where sockets are ended. */
export const SOCKETS = 4;
/** SOCK_DESTROY (linux/sock_diag.h). */
export const SOCKET_END = 21;
/** Attributes (linux/netfilter/nfnetlink_conntrack.h). */
const CTA = { tupleOrig: 1, tupleReply: 2, protoInfo: 4, filter: 25 } as const;
const PROTO_INFO_TCP = 1;
const TCP_STATE = 1;
/** TCP_CONNTRACK_TIME_WAIT and _CLOSE: both ends have closed, or one has reset the other. */
const TCP_ENDED: readonly (number | undefined)[] = [7, 8];
const TUPLE = { ip: 1, proto: 2 } as const;
const PROTO = { number: 1, from: 2, to: 3 } as const;
const FILTER_ORIG_FLAGS = 1;
/** CTA_FILTER_FLAG of CTA_IP_DST: the destination must be the same. */
const FILTER_TO = 0x2;
/** struct nfgenmsg. */
const FAMILY_BYTES = 4;
/** struct inet_diag_req_v2 (linux/inet_diag.h). */
const SOCKET_BYTES = 56;
const PROTOCOL_NUMBERS: Readonly<Record<Protocol, number>> = { tcp: 6, udp: 17 };
const IS_LITTLE = endianness() === "LE";

/**
 * The payload that asks for the flows to an address; the header of the message is not in it. Others
 * come as well: a kernel before 5.8 does not sift, and of IPv6 later ones give all but these
 * (measured on 6.18), so of IPv6 all flows are asked for.
 */
export function flowsTo(target: Address): Buffer {
  const bytes = addressBytes(target);
  if (bytes.length !== 4) return familyOfBytes(bytes);
  const flags = Buffer.alloc(4);
  if (IS_LITTLE) flags.writeUInt32LE(FILTER_TO);
  else flags.writeUInt32BE(FILTER_TO);
  return Buffer.concat([
    familyOfBytes(bytes),
    nested(CTA.tupleOrig, [nested(TUPLE.ip, [attribute(toOf(bytes), bytes)])]),
    nested(CTA.filter, [attribute(FILTER_ORIG_FLAGS, flags)]),
  ]);
}

/**
 * The flow of one answer; undefined for one that is none of a listener's, and for a connection that
 * has ended: the kernel remembers it for two minutes.
 */
export function flowOf(payload: Buffer): MemberFlow | undefined {
  const attributes = attributesOf(payload.subarray(FAMILY_BYTES));
  const asked = tupleOf(attributes.get(CTA.tupleOrig));
  const answered = tupleOf(attributes.get(CTA.tupleReply));
  if (asked === undefined || answered === undefined) return undefined;
  const tcp = attributesOf(attributesOf(attributes.get(CTA.protoInfo)).get(PROTO_INFO_TCP));
  if (TCP_ENDED.includes(tcp.get(TCP_STATE)?.[0])) return undefined;
  return {
    protocol: asked.protocol,
    service: asked.from,
    servicePort: asked.fromPort,
    target: asked.to,
    slot: asked.toPort,
    member: answered.from,
    memberPort: answered.fromPort,
  };
}

/** Has the kernel forget these flows. */
export function forgetFlows(flows: readonly MemberFlow[]): Buffer {
  return Buffer.concat(
    flows.map((flow) => {
      const [from, to] = [addressBytes(flow.service), addressBytes(flow.target)];
      const ip = [attribute(toOf(from) - 1, from), attribute(toOf(to), to)];
      const proto = [
        attribute(PROTO.number, Buffer.of(PROTOCOL_NUMBERS[flow.protocol])),
        attribute(PROTO.from, portBytes(flow.servicePort)),
        attribute(PROTO.to, portBytes(flow.slot)),
      ];
      const tuple = nested(CTA.tupleOrig, [nested(TUPLE.ip, ip), nested(TUPLE.proto, proto)]);
      return rawMessage(FLOW_DELETE, Buffer.concat([familyOfBytes(from), tuple]));
    }),
  );
}

/** Has the kernel end the sockets that these flows of TCP come from: both ends are reset. */
export function endSockets(flows: readonly MemberFlow[]): Buffer {
  return Buffer.concat(
    flows.map((flow) => {
      const [from, to] = [addressBytes(flow.service), addressBytes(flow.target)];
      const payload = anySocket(from.length === 4 ? "ipv4" : "ipv6", flow.protocol);
      payload.writeUInt16BE(flow.servicePort, 8);
      payload.writeUInt16BE(flow.slot, 10);
      from.copy(payload, 12);
      to.copy(payload, 28);
      return rawMessage(SOCKET_END, payload);
    }),
  );
}

/** The payload that names a TCP socket which nobody can have: port 0 is none. */
export const NO_SOCKET: Buffer = anySocket("ipv4", "tcp");

/**
 * The payload of a question about sockets (struct inet_diag_req_v2): in any state, and without a
 * cookie, whichever has the ends that are written into it.
 */
export function anySocket(family: Family, protocol: Protocol): Buffer {
  const payload = Buffer.alloc(SOCKET_BYTES);
  payload.writeUInt8(FAMILY_NUMBERS[family], 0);
  payload.writeUInt8(PROTOCOL_NUMBERS[protocol], 1);
  payload.fill(0xff, 4, 8);
  payload.fill(0xff, 48, 56);
  return payload;
}

interface Tuple {
  readonly protocol: Protocol;
  readonly from: Address;
  readonly fromPort: number;
  readonly to: Address;
  readonly toPort: number;
}

function tupleOf(bytes: Buffer | undefined): Tuple | undefined {
  const parts = attributesOf(bytes);
  const ip = attributesOf(parts.get(TUPLE.ip));
  const proto = attributesOf(parts.get(TUPLE.proto));
  const number = proto.get(PROTO.number)?.[0];
  const protocol = number === PROTOCOL_NUMBERS.tcp ? "tcp" : "udp";
  const [from, to] = [ip.get(1) ?? ip.get(3), ip.get(2) ?? ip.get(4)].map(addressFromBytes);
  const [fromPort, toPort] = [portOf(proto.get(PROTO.from)), portOf(proto.get(PROTO.to))];
  if (number !== PROTOCOL_NUMBERS[protocol] || from === undefined || to === undefined) {
    return undefined;
  }
  if (fromPort === undefined || toPort === undefined) return undefined;
  return { protocol, from, fromPort, to, toPort };
}

function familyOfBytes(address: Buffer): Buffer {
  return Buffer.of(familyNumber(address), 0, 0, 0);
}

/** CTA_IP_V4_DST or CTA_IP_V6_DST; that of the source is one less. */
function toOf(address: Buffer): number {
  return address.length === 4 ? 2 : 4;
}

function portBytes(port: number): Buffer {
  return Buffer.of(port >> 8, port & 0xff);
}

function portOf(bytes: Buffer | undefined): number | undefined {
  return bytes?.length === 2 ? bytes.readUInt16BE(0) : undefined;
}
