// An address as rtnetlink has it: 4 or 16 bytes in network order. Pure.

import { type Address, addressValue, familyBits, familyOf } from "@fairlead/model";

/** The bytes of an address. */
export function addressBytes(address: Address): Buffer {
  const digits = familyBits(familyOf(address)) / 4;
  return Buffer.from(addressValue(address).toString(16).padStart(digits, "0"), "hex");
}
