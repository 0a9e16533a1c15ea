// Messages of rtnetlink about entries of the neighbour table: many are changed by one buffer, which
// the kernel takes one after another and answers only what is wrong; and those of a device are
// read. Pure. A thousand addresses are asked for all the time: each of them has to be cheap.

import { endianness } from "node:os";
import type { Address } from "@fairlead/model";
import { addressBytes, familyNumber, macText } from "./address-bytes.ts";
import { attribute, attributesOf } from "./attributes.ts";

/** An entry of the table. */
export interface NeighbourKey {
  readonly address: Address;
  readonly bytes: Buffer;
  /** Of the device. */
  readonly index: number;
}

/** What the table says of an address. */
export interface Neighbour {
  /** The address as the kernel has it. */
  readonly bytes: Buffer;
  /** Empty: it does not answer. */
  readonly mac: string;
}

/** RTM_GETLINK and RTM_GETNEIGH (rtnetlink(7)): by its name, and all of a device. */
export const LINK_GET = 18;
export const NEIGHBOURS_GET = 30;
/** RTM_NEWNEIGH and RTM_DELNEIGH. */
const NEW = 28;
const DELETE = 29;
/** NLM_F_REQUEST, with NLM_F_REPLACE and NLM_F_CREATE (netlink(7)): no acknowledgement is asked. */
const REQUEST = 0x1;
const PUT = 0x501;
/** NUD_INCOMPLETE and NUD_FAILED (linux/neighbour.h): nobody answers, or what was known is void. */
const INCOMPLETE = 0x1;
const FAILED = 0x20;
/** NTF_USE: as if a packet were to be sent, so the kernel asks. */
const USE = 0x1;
/** NDA_DST, NDA_LLADDR and NDA_IFINDEX; IFLA_IFNAME. */
const NEIGHBOUR = { destination: 1, mac: 2, device: 8 } as const;
const LINK_NAME = 3;
/** struct nlmsghdr, struct ndmsg and struct ifinfomsg. */
const HEADER_BYTES = 16;
const NEIGHBOUR_BYTES = 12;
const LINK_BYTES = 16;
const ATTRIBUTE_BYTES = 4;
const IS_LITTLE = endianness() === "LE";

/** An entry of the table, made once for all messages about it. */
export function neighbourKey(address: Address, index: number): NeighbourKey {
  return { address, index, bytes: addressBytes(address) };
}

/** Has the kernel forget what it knows of these, and ask for them at once. */
export function askMessages(keys: readonly NeighbourKey[]): Buffer {
  const forget: Change = { type: NEW, flags: PUT, state: FAILED };
  const use: Change = { type: NEW, flags: PUT, neighbourFlags: USE };
  return messages(keys, [forget, use]);
}

/** Has the kernel forget these. */
export function dropMessages(keys: readonly NeighbourKey[]): Buffer {
  return messages(keys, [{ type: DELETE, flags: REQUEST }]);
}

/** The payload that asks for a device by its name. */
export function linkNamed(name: string): Buffer {
  const text = attribute(LINK_NAME, Buffer.from(`${name}\0`, "latin1"));
  return Buffer.concat([Buffer.alloc(LINK_BYTES), text]);
}

/** The number of the device of an answer. */
export function linkIndexOf(payload: Buffer): number {
  return IS_LITTLE ? payload.readInt32LE(4) : payload.readInt32BE(4);
}

/** The payload that asks for the entries of a device; others may come as well. */
export function neighboursOn(index: number): Buffer {
  const bytes = Buffer.alloc(4);
  if (IS_LITTLE) bytes.writeUInt32LE(index);
  else bytes.writeUInt32BE(index);
  return Buffer.concat([Buffer.alloc(NEIGHBOUR_BYTES), attribute(NEIGHBOUR.device, bytes)]);
}

/** The entry of one answer; undefined for one of another device, or of no address. */
export function neighbourOf(payload: Buffer, index: number): Neighbour | undefined {
  if (payload.length < NEIGHBOUR_BYTES || linkIndexOf(payload) !== index) return undefined;
  const state = IS_LITTLE ? payload.readUInt16LE(8) : payload.readUInt16BE(8);
  const attributes = attributesOf(payload.subarray(NEIGHBOUR_BYTES));
  const bytes = attributes.get(NEIGHBOUR.destination);
  if (bytes === undefined) return undefined;
  const isSilent = (state & (INCOMPLETE | FAILED)) !== 0;
  return { bytes, mac: isSilent ? "" : macText(attributes.get(NEIGHBOUR.mac)) };
}

interface Change {
  readonly type: number;
  readonly flags: number;
  readonly state?: number;
  readonly neighbourFlags?: number;
}

/** The changes of each entry, one entry after another: struct nlmsghdr, struct ndmsg, NDA_DST. */
function messages(keys: readonly NeighbourKey[], changes: readonly Change[]): Buffer {
  const own = HEADER_BYTES + NEIGHBOUR_BYTES + ATTRIBUTE_BYTES;
  const total = keys.reduce((sum, { bytes }) => sum + changes.length * (own + bytes.length), 0);
  const buffer = Buffer.alloc(total);
  const view = new DataView(buffer.buffer, buffer.byteOffset, total);
  let at = 0;
  for (const { bytes, index } of keys) {
    for (const { type, flags, state = 0, neighbourFlags = 0 } of changes) {
      view.setUint32(at, own + bytes.length, IS_LITTLE);
      view.setUint16(at + 4, type, IS_LITTLE);
      view.setUint16(at + 6, flags, IS_LITTLE);
      view.setUint8(at + 16, familyNumber(bytes));
      view.setInt32(at + 20, index, IS_LITTLE);
      view.setUint16(at + 24, state, IS_LITTLE);
      view.setUint8(at + 26, neighbourFlags);
      view.setUint16(at + 28, ATTRIBUTE_BYTES + bytes.length, IS_LITTLE);
      view.setUint16(at + 30, NEIGHBOUR.destination, IS_LITTLE);
      bytes.copy(buffer, at + own);
      at += own + bytes.length;
    }
  }
  return buffer;
}
