// Addresses, revisions and names as they travel: 4 or 16 bytes, 16 bytes, canonical text. Given
// bytes of a peer; anything that is not exactly one of ours is undefined.

import {
  type Address,
  addressFromValue,
  addressValue,
  familyBits,
  familyOf,
  parseAddress,
  type Prefix,
  type Revision,
} from "@fairlead/model";

/** Bytes of a revision. */
export const REVISION_BYTES = 16;

/** The address in network order: 4 bytes, or 16. */
export function addressToBytes(address: Address): Uint8Array {
  const length = familyBits(familyOf(address)) / 8;
  const bytes = new Uint8Array(length);
  let value = addressValue(address);
  for (let i = length - 1; i >= 0; i -= 1) {
    bytes[i] = Number(value & 0xffn);
    value >>= 8n;
  }
  return bytes;
}

/** Reads 4 or 16 bytes. IPv4-mapped IPv6 is a second name for an address, so it is not read. */
export function addressFromBytes(bytes: Uint8Array): Address | undefined {
  if (bytes.length !== 4 && bytes.length !== 16) return undefined;
  let value = 0n;
  for (const byte of bytes) value = (value << 8n) | BigInt(byte);
  // Parsed again, so that what parseAddress does not take never comes in this way either.
  return parseAddress(addressFromValue(bytes.length === 4 ? "ipv4" : "ipv6", value));
}

/** Reads an address with its length, both in range. */
export function prefixFrom(bytes: Uint8Array, length: number): Prefix | undefined {
  const address = addressFromBytes(bytes);
  if (address === undefined || !Number.isInteger(length)) return undefined;
  if (length < 0 || length > familyBits(familyOf(address))) return undefined;
  return { address, length };
}

/** The 16 bytes of a revision; none for an absent one. */
export function revisionToBytes(revision: Revision | undefined): Uint8Array {
  return revision === undefined ? new Uint8Array(0) : Buffer.from(revision, "hex");
}

/** Reads 16 bytes as a revision. */
export function revisionFromBytes(bytes: Uint8Array): Revision | undefined {
  if (bytes.length !== REVISION_BYTES) return undefined;
  return Buffer.from(bytes).toString("hex") as Revision;
}
