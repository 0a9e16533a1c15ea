// Messages by which the host borrows an address of IPv4 that it has no longer: it may send from it
// and does nothing else with it. It stands on lo and the route to it is gone, so no question for it
// is answered, none is asked in its name, and no packet to it is taken. Pure.

import type { Address } from "@fairlead/model";
import { addressBytes, FAMILY_NUMBERS } from "./address-bytes.ts";
import { attribute } from "./attributes.ts";
import { LOOPBACK_INDEX } from "./device-indexes.ts";
import { MAKE_NEW, rawMessage } from "./raw-message.ts";

/** What is not given back is taken back by the kernel after this long. */
export const BORROWED_S = 10;

/** Tells ours from an address that somebody else has put on lo. */
const LABEL = Buffer.from("lo:fairlead\0");
/** RTM_NEWADDR, RTM_DELADDR and RTM_DELROUTE (rtnetlink(7)). */
const [ADDRESS_NEW, ADDRESS_DELETE, ROUTE_DELETE] = [20, 21, 25];
/** IFA_LOCAL, IFA_LABEL and IFA_CACHEINFO; RTA_DST and RTA_OIF. */
const ADDRESS = { local: 2, label: 3, lifetime: 6 } as const;
const ROUTE = { to: 1, device: 4 } as const;
const BITS = 32;
/** RT_TABLE_LOCAL, RT_SCOPE_HOST and RTN_LOCAL. */
const [TABLE_LOCAL, SCOPE_HOST, TYPE_LOCAL] = [255, 254, 2];
const DEVICE = uint32s(LOOPBACK_INDEX);

/**
 * Borrows addresses that do not lead to this host. Adding one makes the route to it, which goes
 * right after; of one that stood on lo already that would be somebody else's.
 */
export function borrow(addresses: readonly Address[]): Buffer {
  // struct ifa_cacheinfo: preferred, valid, and two times that the kernel fills in.
  const lifetime = attribute(ADDRESS.lifetime, uint32s(BORROWED_S, BORROWED_S, 0, 0));
  return Buffer.concat(
    addresses.flatMap((address) => [
      rawMessage(ADDRESS_NEW, Buffer.concat([onLo(address), lifetime]), MAKE_NEW),
      rawMessage(ROUTE_DELETE, routeTo(address)),
    ]),
  );
}

/** Gives back what `borrow` borrowed, and nothing else: one may be the host's own again. */
export function giveBack(addresses: readonly Address[]): Buffer {
  return Buffer.concat(addresses.map((address) => rawMessage(ADDRESS_DELETE, onLo(address))));
}

/** struct ifaddrmsg and its attributes. */
function onLo(address: Address): Buffer {
  return Buffer.concat([
    Buffer.of(FAMILY_NUMBERS.ipv4, BITS, 0, SCOPE_HOST),
    DEVICE,
    attribute(ADDRESS.local, addressBytes(address)),
    attribute(ADDRESS.label, LABEL),
  ]);
}

/** struct rtmsg and its attributes. */
function routeTo(address: Address): Buffer {
  return Buffer.concat([
    Buffer.of(FAMILY_NUMBERS.ipv4, BITS, 0, 0, TABLE_LOCAL, 0, SCOPE_HOST, TYPE_LOCAL),
    uint32s(0),
    attribute(ROUTE.to, addressBytes(address)),
    attribute(ROUTE.device, DEVICE),
  ]);
}

function uint32s(...values: readonly number[]): Buffer {
  return Buffer.from(Uint32Array.from(values).buffer);
}
