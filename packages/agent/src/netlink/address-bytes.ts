// Addresses and MAC addresses as rtnetlink has them: bytes in network order. Pure.

import {
  type Address,
  addressFromValue,
  addressValue,
  familyBits,
  familyOf,
} from "@fairlead/model";

/** The 4 or 16 bytes of an address. */
export function addressBytes(address: Address): Buffer {
  const digits = familyBits(familyOf(address)) / 4;
  return Buffer.from(addressValue(address).toString(16).padStart(digits, "0"), "hex");
}

/** The address of 4 or 16 bytes; undefined for any other number of them, or none. */
export function addressFromBytes(bytes: Buffer | undefined): Address | undefined {
  if (bytes?.length !== 4 && bytes?.length !== 16) return undefined;
  const value = BigInt(`0x${bytes.toString("hex")}`);
  return addressFromValue(bytes.length === 4 ? "ipv4" : "ipv6", value);
}

/** A MAC address in its usual form; empty without bytes. */
export function macText(bytes: Buffer | undefined): string {
  return (bytes?.toString("hex").match(/../g) ?? []).join(":");
}

/** Numbers of families in messages and sockets: AF_INET and AF_INET6. */
export const FAMILY_NUMBERS = { ipv4: 2, ipv6: 10 } as const;

/** The number of an address' family, by its 4 or 16 bytes. */
export function familyNumber(bytes: Buffer): number {
  return bytes.length === 4 ? FAMILY_NUMBERS.ipv4 : FAMILY_NUMBERS.ipv6;
}
