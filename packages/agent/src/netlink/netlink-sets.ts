// Reads sets of nftables straight from the kernel: a process for it, every few seconds, would cost
// an idle agent a third of all it does. Sets are bounded by who made them, so that no answer
// overflows the socket. It changes nothing.

import type * as Netlink from "netlink";
import { describeError } from "@fairlead/runtime";
import type { RouterElement, RouterSets } from "../ports.ts";
import { closeSockets } from "./close-sockets.ts";
import { loadNetlink } from "./load-netlink.ts";
import { kernelError } from "./netlink-error.ts";
import { ELEMENTS_GET, elementsOf, generationOf, routersOf } from "./set-messages.ts";
import { SOCKET_SIZES } from "./socket-sizes.ts";
import { watchForGaps } from "./whole-dumps.ts";

const READ_MS_MAX = 1000;
/** NETLINK_NETFILTER and NLM_F_DUMP (netlink(7)). */
const NETFILTER = 12;
const DUMP = 0x300;
const TRIES_MAX = 5;

/** Opens the adapter. Rejects with EdgeError "NOT_AVAILABLE" where it cannot work. */
export async function createNetlinkSets(): Promise<RouterSets> {
  const { createNetlink } = await loadNetlink();
  return new Sets(createNetlink(NETFILTER, { ref: false, ...SOCKET_SIZES }));
}

class Sets implements RouterSets {
  readonly #socket: Netlink.NetlinkSocket;
  readonly #gaps: ReturnType<typeof watchForGaps>;

  constructor(socket: Netlink.NetlinkSocket) {
    this.#socket = socket;
    this.#gaps = watchForGaps(socket.socket);
  }

  async read(table: string, set: string): Promise<readonly RouterElement[] | undefined> {
    const options = { flags: DUMP, timeout: READ_MS_MAX };
    try {
      for (let tries = 1; ; tries += 1) {
        this.#gaps.forget();
        const asked = this.#socket.request(ELEMENTS_GET, elementsOf(table, set), options);
        const [answers] = await asked;
        // Of a set that goes, or that is changed by a transaction, parts are of two rulesets.
        const isOfOne = new Set(answers.map(({ data }) => generationOf(data))).size <= 1;
        if (isOfOne && !this.#gaps.areSeen()) return answers.flatMap(({ data }) => routersOf(data));
        if (tries === TRIES_MAX) throw new Error("tables change all the time");
      }
    } catch (error) {
      if (describeError(error).includes("ENOENT")) return undefined;
      throw kernelError(error, `cannot read the set ${set} of the table ${table}`);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await closeSockets(this.#socket);
  }
}
