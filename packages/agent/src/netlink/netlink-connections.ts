// The connections of clients to addresses that the host has no longer, ended over netlink. A reset
// goes out from the address that the client speaks to, and the kernel sends IPv4 from no address
// that it does not have: so each batch is ended while the host has borrowed it.

import type * as Netlink from "netlink";
import { type Address, familyOf } from "@fairlead/model";
import { createTurns, type Turns } from "@fairlead/runtime";
import type { ClientConnections, Kernel } from "../ports.ts";
import { borrow, giveBack } from "./borrowed-addresses.ts";
import { closeSockets } from "./close-sockets.ts";
import {
  ADDRESSES_MAX,
  connectionsOf,
  endConnection,
  ownAddressOf,
  SOCKETS_GET,
} from "./connection-messages.ts";
import { SOCKETS } from "./flow-messages.ts";
import { loadNetlink } from "./load-netlink.ts";
import { kernelError } from "./netlink-error.ts";
import { openWriter, writeMessages } from "./raw-writer.ts";
import { createRouteSight, type RouteSight } from "./route-sight.ts";
import { SOCKET_SIZES } from "./socket-sizes.ts";

const LIST_MS_MAX = 10_000;
/** Ends of one batch, some ms of work. So many refusals fit into the receive buffer many times. */
const ENDS_MAX = 256;
/** NETLINK_ROUTE, and NLM_F_DUMP (netlink(7)). */
const ROUTES = 0;
const DUMP = 0x300;

/** What the adapter is made of. */
export interface NetlinkConnectionsOptions {
  /** Says which addresses the host has. */
  readonly kernel: Pick<Kernel, "view">;
}

/** Opens the adapter. Rejects with EdgeError "NOT_AVAILABLE" where it cannot work. */
export async function createNetlinkConnections(
  options: NetlinkConnectionsOptions,
): Promise<ClientConnections> {
  const netlink = await loadNetlink();
  return new Connections(options, await createRouteSight(), {
    reads: netlink.createNetlink(SOCKETS, { ref: false, ...SOCKET_SIZES }),
    ends: openWriter(netlink, SOCKETS),
    addresses: openWriter(netlink, ROUTES),
  });
}

interface Sockets {
  readonly reads: Netlink.NetlinkSocket;
  readonly ends: Netlink.RawNetlinkSocket;
  readonly addresses: Netlink.RawNetlinkSocket;
}

class Connections implements ClientConnections {
  readonly #options: NetlinkConnectionsOptions;
  readonly #sight: RouteSight;
  readonly #sockets: Sockets;
  readonly #inTurn: Turns = createTurns();
  #isOver = false;

  constructor(options: NetlinkConnectionsOptions, sight: RouteSight, sockets: Sockets) {
    this.#options = options;
    this.#sight = sight;
    this.#sockets = sockets;
  }

  end(addresses: readonly Address[]): Promise<number> {
    return this.#inTurn(async () => {
      let count = 0;
      try {
        for (const family of Map.groupBy(addresses, familyOf).values()) {
          for (let at = 0; at < family.length; at += ADDRESSES_MAX) {
            count += await this.#endAll(family.slice(at, at + ADDRESSES_MAX));
          }
        }
      } catch (error) {
        throw kernelError(error, "cannot end connections of clients");
      }
      return count;
    });
  }

  /** A batch that has begun is ended first: what it borrowed is given back. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true;
    await this.#inTurn(() => Promise.resolve());
    const { reads, ends, addresses } = this.#sockets;
    await closeSockets(reads, ends, addresses);
    await this.#sight[Symbol.asyncDispose]();
  }

  async #endAll(addresses: readonly Address[]): Promise<number> {
    if (this.#isOver) return 0;
    const options = { flags: DUMP, timeout: LIST_MS_MAX };
    const question = connectionsOf(addresses);
    const [answers] = await this.#sockets.reads.request(SOCKETS_GET, question, options);
    if (answers.length === 0) return 0;
    // What it has by now came back, perhaps before the list: its connections may be new ones.
    const view = await this.#options.kernel.view();
    const here = new Set(view.addresses.map(({ address }) => address));
    const over = answers.map(({ data }) => data).filter((data) => !here.has(ownAddressOf(data)));
    let count = 0;
    for (let at = 0; at < over.length && !this.#isOver; at += ENDS_MAX) {
      const some = over.slice(at, at + ENDS_MAX);
      await this.#endSome(some);
      count += some.length;
    }
    return count;
  }

  async #endSome(some: readonly Buffer[]): Promise<void> {
    const { ends, addresses } = this.#sockets;
    const lacked: Address[] = [];
    for (const address of new Set(some.map(ownAddressOf))) {
      const isAsked = familyOf(address) === "ipv4";
      if (isAsked && !(await this.#sight.leadsHere(address))) lacked.push(address);
    }
    try {
      await writeMessages(addresses, borrow(lacked));
      await writeMessages(ends, Buffer.concat(some.map(endConnection)));
    } finally {
      await writeMessages(addresses, giveBack(lacked));
    }
  }
}
