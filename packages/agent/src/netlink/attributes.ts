// Attributes of netlink messages (netlink(7)): a length, a type, a value, to a multiple of four
// bytes. Pure.

import { endianness } from "node:os";

const NESTED = 0x8000;
const TYPE_MASK = 0x3fff;
const ATTRIBUTE_BYTES = 4;
const IS_LITTLE = endianness() === "LE";

/** The values of attributes by type, the last of each. What is cut short is not there. */
export function attributesOf(bytes: Buffer | undefined): ReadonlyMap<number, Buffer> {
  return new Map(eachAttribute(bytes));
}

/** Every attribute in its order, as lists have many of one type. What is cut short is not there. */
export function eachAttribute(bytes: Buffer | undefined): readonly (readonly [number, Buffer])[] {
  const found: (readonly [number, Buffer])[] = [];
  let rest = bytes ?? Buffer.alloc(0);
  while (rest.length >= ATTRIBUTE_BYTES) {
    const length = IS_LITTLE ? rest.readUInt16LE(0) : rest.readUInt16BE(0);
    const type = IS_LITTLE ? rest.readUInt16LE(2) : rest.readUInt16BE(2);
    if (length < ATTRIBUTE_BYTES || length > rest.length) break;
    found.push([type & TYPE_MASK, rest.subarray(ATTRIBUTE_BYTES, length)]);
    rest = rest.subarray(padded(length));
  }
  return found;
}

/** One attribute. */
export function attribute(type: number, value: Buffer): Buffer {
  const buffer = Buffer.alloc(padded(ATTRIBUTE_BYTES + value.length));
  const view = new DataView(buffer.buffer, buffer.byteOffset, buffer.length);
  view.setUint16(0, ATTRIBUTE_BYTES + value.length, IS_LITTLE);
  view.setUint16(2, type, IS_LITTLE);
  value.copy(buffer, ATTRIBUTE_BYTES);
  return buffer;
}

/** An attribute made of attributes. */
export function nested(type: number, parts: readonly Buffer[]): Buffer {
  return attribute(type | NESTED, Buffer.concat(parts));
}

/** Attributes begin at multiples of four bytes. */
function padded(length: number): number {
  return (length + 3) & ~3;
}
