// Messages of rtnetlink that change entries of the neighbour table, many in one buffer: the kernel
// takes them one after another and answers none, unless one is wrong. Pure.

import { endianness } from "node:os";
import type { Address } from "@fairlead/model";
import { addressBytes } from "./address-bytes.ts";

/** An entry of the table. */
export interface NeighbourKey {
  readonly address: Address;
  /** Of the device. */
  readonly index: number;
}

/** RTM_NEWNEIGH and RTM_DELNEIGH (rtnetlink(7)). */
const NEW = 28;
const DELETE = 29;
/** NLM_F_REQUEST, with NLM_F_REPLACE and NLM_F_CREATE (netlink(7)): no acknowledgement is asked. */
const REQUEST = 0x1;
const PUT = 0x501;
/** NUD_FAILED (linux/neighbour.h): what was known is not known any more. */
const FAILED = 0x20;
/** NTF_USE: as if a packet were to be sent, so the kernel asks. */
const USE = 0x1;
/** NDA_DST. */
const DESTINATION = 1;
const HEADER_BYTES = 28;
const IS_LITTLE = endianness() === "LE";

/** Has the kernel forget what it knows of these, and ask for them at once. */
export function askMessages(keys: readonly NeighbourKey[]): Buffer {
  const messages = keys.flatMap((key) => [
    message(key, { type: NEW, flags: PUT, state: FAILED }),
    message(key, { type: NEW, flags: PUT, neighbourFlags: USE }),
  ]);
  return Buffer.concat(messages);
}

/** Has the kernel forget these. */
export function dropMessages(keys: readonly NeighbourKey[]): Buffer {
  return Buffer.concat(keys.map((key) => message(key, { type: DELETE, flags: REQUEST })));
}

interface Change {
  readonly type: number;
  readonly flags: number;
  readonly state?: number;
  readonly neighbourFlags?: number;
}

/** struct nlmsghdr, struct ndmsg, and one attribute. */
function message({ address, index }: NeighbourKey, change: Change): Buffer {
  const bytes = addressBytes(address);
  const buffer = Buffer.alloc(HEADER_BYTES + 4 + bytes.length);
  const view = new DataView(buffer.buffer, buffer.byteOffset, buffer.length);
  view.setUint32(0, buffer.length, IS_LITTLE);
  view.setUint16(4, change.type, IS_LITTLE);
  view.setUint16(6, change.flags, IS_LITTLE);
  view.setUint8(16, bytes.length === 4 ? 2 : 10);
  view.setInt32(20, index, IS_LITTLE);
  view.setUint16(24, change.state ?? 0, IS_LITTLE);
  view.setUint8(26, change.neighbourFlags ?? 0);
  view.setUint16(HEADER_BYTES, 4 + bytes.length, IS_LITTLE);
  view.setUint16(HEADER_BYTES + 2, DESTINATION, IS_LITTLE);
  bytes.copy(buffer, HEADER_BYTES + 4);
  return buffer;
}
