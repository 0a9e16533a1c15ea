// The addresses that a fake host's device has of its own, of one family or of both. Given their
// texts; nothing of them ever changes.

import type { KernelAddress } from "@fairlead/agent";
import {
  type Address,
  type DeviceName,
  familyBits,
  familyOf,
  parsePrefix,
  type Prefix,
  present,
} from "@fairlead/model";

/** A host's own addresses. */
export interface FakeOwnAddresses {
  /** What others know the host by. */
  readonly first: Address;
  readonly addresses: readonly KernelAddress[];
  /** The prefixes of the device while it has these addresses beside its own. */
  prefixesWith(beside: readonly KernelAddress[]): readonly Prefix[];
  /** How long a prefix the device's own routes give an address. */
  lengthFor(address: Address): number | undefined;
}

/** Makes them of texts such as 192.0.2.11/24. */
export function createFakeOwnAddresses(
  texts: readonly string[],
  link: DeviceName,
): FakeOwnAddresses {
  const prefixes = texts.map((text) => {
    const parsed = parsePrefix(text);
    return present(parsed.kind === "ok" ? parsed.value : undefined, `${text} is a prefix`);
  });
  return {
    first: present(prefixes[0], "a host has an address").address,
    addresses: prefixes.map(({ address, length }) => ({ address, prefixLength: length, link })),
    prefixesWith: (beside) => [
      ...prefixes,
      ...beside.map(({ address }) => ({ address, length: familyBits(familyOf(address)) })),
    ],
    lengthFor: (address) =>
      prefixes.find((one) => familyOf(one.address) === familyOf(address))?.length,
  };
}
