// All links, addresses and routes of the kernel, each without gaps. Given the socket that is for
// these alone; one is asked for at a time.

import type * as Netlink from "netlink";

import {
  addressKey,
  type AddressMessage,
  linkKey,
  type LinkMessage,
  routeKey,
  type RouteMessage,
} from "./kernel-view.ts";
import { REQUEST_TIMEOUT } from "./request-timeout.ts";
import { createWholeDump } from "./whole-dumps.ts";

/** What the kernel has. Each rejects with what the package raises. */
export interface KernelDumps {
  links(): Promise<readonly LinkMessage[]>;
  addresses(): Promise<readonly AddressMessage[]>;
  routes(): Promise<readonly RouteMessage[]>;
}

/** Makes them. */
export function createKernelDumps(rt: Netlink.RtNetlinkSocket): KernelDumps {
  const whole = createWholeDump(rt.socket.socket);
  return {
    links: () => whole(() => rt.getLinks({}, {}, REQUEST_TIMEOUT), linkKey),
    addresses: () => whole(() => rt.getAddresses({}, {}, REQUEST_TIMEOUT), addressKey),
    routes: () => whole(() => rt.getRoutes({}, {}, REQUEST_TIMEOUT), routeKey),
  };
}
