// The connections of clients to addresses of the host, ended over netlink. A reset goes out from
// the address that the client speaks to, and the kernel sends from no address that it does not
// have: so each batch is ended while a route says for a moment that the address is the host's own.

import type * as Netlink from "netlink";
import { type Address, familyOf } from "@fairlead/model";
import type { ClientConnections } from "../ports.ts";
import { closeSockets } from "./close-sockets.ts";
import {
  ADDRESSES_MAX,
  closeRoutes,
  connectionsOf,
  endConnection,
  openRoutes,
  SOCKETS_GET,
} from "./connection-messages.ts";
import { SOCKETS } from "./flow-messages.ts";
import { loadNetlink } from "./load-netlink.ts";
import { kernelError } from "./netlink-error.ts";
import { openWriter, writeMessages } from "./raw-writer.ts";
import { type RouteFamilies, forgetResetRoutes } from "./service-routes.ts";
import { SOCKET_SIZES } from "./socket-sizes.ts";

const LIST_MS_MAX = 10_000;
/** So many refusals fit into the receive buffer many times. */
const CHANGES_MAX = 256;
/** NETLINK_ROUTE, and NLM_F_DUMP (netlink(7)). */
const ROUTES = 0;
const DUMP = 0x300;

/**
 * Opens the adapter, and removes routes that an agent left which died in that moment. Rejects with
 * EdgeError "NOT_AVAILABLE" where it cannot work, or "ROUTE".
 */
export async function createNetlinkConnections(
  families: RouteFamilies,
): Promise<ClientConnections> {
  await forgetResetRoutes(families);
  const netlink = await loadNetlink();
  const reads = netlink.createNetlink(SOCKETS, { ref: false, ...SOCKET_SIZES });
  return new Connections({
    reads,
    sockets: openWriter(netlink, SOCKETS),
    routes: openWriter(netlink, ROUTES),
  });
}

interface Sockets {
  readonly reads: Netlink.NetlinkSocket;
  readonly sockets: Netlink.RawNetlinkSocket;
  readonly routes: Netlink.RawNetlinkSocket;
}

class Connections implements ClientConnections {
  readonly #sockets: Sockets;

  constructor(sockets: Sockets) {
    this.#sockets = sockets;
  }

  async end(addresses: readonly Address[]): Promise<number> {
    let count = 0;
    try {
      for (const family of Map.groupBy(addresses, familyOf).values()) {
        for (let at = 0; at < family.length; at += ADDRESSES_MAX) {
          count += await this.#endSome(family.slice(at, at + ADDRESSES_MAX));
        }
      }
    } catch (error) {
      throw kernelError(error, "cannot end connections of clients");
    }
    return count;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { reads, sockets, routes } = this.#sockets;
    await closeSockets(reads, sockets, routes);
  }

  async #endSome(addresses: readonly Address[]): Promise<number> {
    const { reads, sockets, routes } = this.#sockets;
    const options = { flags: DUMP, timeout: LIST_MS_MAX };
    const [answers] = await reads.request(SOCKETS_GET, connectionsOf(addresses), options);
    if (answers.length === 0) return 0;
    const ends = answers.map(({ data }) => endConnection(data));
    await writeInParts(routes, addresses, openRoutes);
    try {
      await writeInParts(sockets, ends, (some) => Buffer.concat(some));
    } finally {
      await writeInParts(routes, addresses, closeRoutes);
    }
    return ends.length;
  }
}

async function writeInParts<Item>(
  socket: Netlink.RawNetlinkSocket,
  items: readonly Item[],
  bytesOf: (some: readonly Item[]) => Buffer,
): Promise<void> {
  for (let at = 0; at < items.length; at += CHANGES_MAX) {
    await writeMessages(socket, bytesOf(items.slice(at, at + CHANGES_MAX)));
  }
}
