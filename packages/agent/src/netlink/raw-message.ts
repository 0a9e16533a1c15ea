// One message of netlink as bytes (netlink(7)): for what the package has no call for. Pure.

import { endianness } from "node:os";

/** NLM_F_CREATE with NLM_F_EXCL: make it, unless there is one. */
export const MAKE_NEW = 0x600;

/** NLM_F_REQUEST: no acknowledgement is asked, so the kernel answers only what is wrong. */
const REQUEST = 0x1;
/** struct nlmsghdr. */
const HEADER_BYTES = 16;
const IS_LITTLE = endianness() === "LE";

/** A request of that type; several behind each other may be sent as one. */
export function rawMessage(type: number, payload: Buffer, flags = 0): Buffer {
  const buffer = Buffer.alloc(HEADER_BYTES + payload.length);
  const view = new DataView(buffer.buffer, buffer.byteOffset, buffer.length);
  view.setUint32(0, buffer.length, IS_LITTLE);
  view.setUint16(4, type, IS_LITTLE);
  view.setUint16(6, REQUEST | flags, IS_LITTLE);
  payload.copy(buffer, HEADER_BYTES);
  return buffer;
}
