// Where the kernel would send a packet, asked over rtnetlink as `ip route get` does: one question
// and one answer, however many routes the host has. It changes nothing.

import type * as Netlink from "netlink";
import { type Address, familyBits, familyOf } from "@fairlead/model";

import { addressBytes, FAMILY_NUMBERS } from "./address-bytes.ts";
import { closeSockets } from "./close-sockets.ts";
import { LOOPBACK_INDEX } from "./device-indexes.ts";
import { loadNetlink } from "./load-netlink.ts";
import { kernelError } from "./netlink-error.ts";
import { REQUEST_TIMEOUT } from "./request-timeout.ts";
import { SOCKET_SIZES } from "./socket-sizes.ts";

/** Asks the kernel. Each rejects with EdgeError<KernelErrorCode> where it does not answer. */
export interface RouteSight extends AsyncDisposable {
  /** Whether packets to the address are for this host. */
  leadsHere(address: Address): Promise<boolean>;
  isLoopbackUp(): Promise<boolean>;
}

/** Opens the adapter. Rejects with EdgeError "NOT_AVAILABLE" where it cannot work. */
export async function createRouteSight(): Promise<RouteSight> {
  const { createRtNetlink } = await loadNetlink();
  return new Sight(createRtNetlink({ ref: false, ...SOCKET_SIZES }));
}

class Sight implements RouteSight {
  readonly #netlink: Netlink.RtNetlinkSocket;

  constructor(netlink: Netlink.RtNetlinkSocket) {
    this.#netlink = netlink;
  }

  async leadsHere(address: Address): Promise<boolean> {
    const family = familyOf(address);
    const question = { family: FAMILY_NUMBERS[family], dstLen: familyBits(family) };
    try {
      const dst = addressBytes(address);
      const [route] = await this.#netlink.getRoute(question, { dst }, REQUEST_TIMEOUT);
      return route?.data.type === "LOCAL";
    } catch (error) {
      const failed = kernelError(error, `cannot ask for the route to ${address}`);
      // ENETUNREACH, or what an unreachable route says: an answer too.
      if (failed.code !== "NETLINK") throw failed;
      return false;
    }
  }

  async isLoopbackUp(): Promise<boolean> {
    try {
      const [link] = await this.#netlink.getLink({ index: LOOPBACK_INDEX }, {}, REQUEST_TIMEOUT);
      return link?.data.flags?.up === true;
    } catch (error) {
      throw kernelError(error, "cannot look at lo");
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await closeSockets(this.#netlink.socket);
  }
}
