// Single requests to the kernel over rtnetlink: an address is added, given another lifetime, or
// removed. Given a socket that carries no dumps, and the numbers of devices; each rejects with the
// kernel's EdgeError.

import type { RtNetlinkSocket } from "netlink";
import { familyOf } from "@fairlead/model";
import { ownerLabel } from "../attach.ts";
import type { AddedAddress, Kernel, KernelAddress } from "../ports.ts";
import { addressBytes, familyNumber } from "./address-bytes.ts";
import { FOREVER, type RouteMessage, routeLength } from "./kernel-view.ts";
import type { IndexOf } from "./device-indexes.ts";
import { kernelError } from "./netlink-error.ts";
import { REQUEST_TIMEOUT } from "./request-timeout.ts";

/** What requests go over. */
export interface Requests {
  readonly socket: Pick<RtNetlinkSocket, "newAddress" | "delAddress">;
  readonly indexOf: IndexOf;
}

/** Flags of a request (linux/netlink.h): change what is there, make what is not. */
const NLM_F_REPLACE = 0x100;
const NLM_F_CREATE = 0x400;

/** Adds an address, or gives it another lifetime. */
export async function putAddress(
  { socket, indexOf }: Requests,
  { address, prefixLength, link: name, validMs }: AddedAddress,
): Promise<void> {
  try {
    const index = await indexOf(name);
    const bytes = addressBytes(address);
    const isIpv4 = familyOf(address) === "ipv4";
    const seconds = validMs === undefined ? FOREVER : Math.ceil(validMs / 1000);
    await socket.newAddress(
      { family: familyNumber(bytes), prefixlen: prefixLength, index },
      {
        local: bytes,
        address: bytes,
        // What is preferred is what a host takes as the source of its own connections.
        cacheInfo: { ifaPrefered: isIpv4 ? seconds : 0, ifaValid: seconds },
        flags: { noprefixroute: true, ...(isIpv4 ? {} : { nodad: true as const }) },
        ...(isIpv4 ? { label: ownerLabel(name) } : {}),
      },
      { ...REQUEST_TIMEOUT, flags: NLM_F_REPLACE | NLM_F_CREATE },
    );
  } catch (error) {
    throw kernelError(error, `cannot add ${address} to ${name}`);
  }
}

/** Length of the device's route for an address; `readRoutes` gives all routes of the host. */
export async function findLength(
  { indexOf }: Pick<Requests, "indexOf">,
  readRoutes: () => Promise<readonly RouteMessage[]>,
  { address, link }: Parameters<Kernel["routeLength"]>[0],
): Promise<number | undefined> {
  try {
    const index = await indexOf(link);
    return routeLength(await readRoutes(), index, address);
  } catch (error) {
    throw kernelError(error, `cannot read the routes of ${link}`);
  }
}

/** Removes an address; false when it was not there. */
export async function removeAddress(
  { socket, indexOf }: Requests,
  entry: KernelAddress,
): Promise<boolean> {
  try {
    const index = await indexOf(entry.link);
    const bytes = addressBytes(entry.address);
    await socket.delAddress(
      {
        family: familyNumber(bytes),
        prefixlen: entry.prefixLength,
        index,
      },
      { local: bytes, address: bytes },
      REQUEST_TIMEOUT,
    );
    return true;
  } catch (error) {
    const mapped = kernelError(error, `cannot remove ${entry.address} from ${entry.link}`);
    if (mapped.code === "NO_ADDRESS" || mapped.code === "NO_DEVICE") return false;
    throw mapped;
  }
}
