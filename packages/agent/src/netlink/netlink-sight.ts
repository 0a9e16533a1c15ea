// Sees who has many addresses on a segment, as cheaply as it can be done: the kernel is handed all
// questions in one write, answers none of them, and its neighbour table is read once. Given the
// clock; leaves no entry behind. Who asks for a few addresses before it uses them does so by
// netlink-segment.ts, which hears of each question whether it was taken.

import type * as Netlink from "netlink";
import type { Address, DeviceName } from "@fairlead/model";
import type { Clock } from "@fairlead/runtime";
import type { SegmentSight, Sighted } from "../ports.ts";
import { closeSockets } from "./close-sockets.ts";
import { loadNetlink } from "./load-netlink.ts";
import {
  LINK_GET,
  NEIGHBOURS_GET,
  type NeighbourKey,
  askMessages,
  dropMessages,
  linkIndexOf,
  linkNamed,
  neighbourKey,
  neighbourOf,
  neighboursOn,
} from "./neighbour-messages.ts";
import { kernelError } from "./netlink-error.ts";
import { SOCKET_SIZES } from "./socket-sizes.ts";

/** What the adapter is made of. */
export interface NetlinkSightOptions {
  readonly clock: Clock;
}

/** Hosts of one segment answer within milliseconds. */
const ANSWER_MS = 100;
/** Below this the kernel never has to make room (arp(7), gc_thresh1). */
const QUESTIONS_MAX = 128;
const REQUEST_MS_MAX = 1000;
/** NETLINK_ROUTE (netlink(7)). */
const ROUTE = 0;
/** NLM_F_DUMP. */
const DUMP = 0x300;

/** Opens the adapter. Rejects with EdgeError "NOT_AVAILABLE" where it cannot work. */
export async function createNetlinkSight(
  options: NetlinkSightOptions,
): Promise<SegmentSight & AsyncDisposable> {
  const { RawNetlinkSocket, createNetlink } = await loadNetlink();
  const writes = new RawNetlinkSocket(ROUTE, SOCKET_SIZES);
  writes.unref();
  // It answers only what is wrong; such a question is one that nobody has asked.
  writes.on("message", () => undefined);
  writes.on("error", () => undefined);
  return new Sight(options.clock, writes, createNetlink(ROUTE, { ref: false, ...SOCKET_SIZES }));
}

class Sight implements SegmentSight, AsyncDisposable {
  readonly #clock: Clock;
  readonly #writes: Netlink.RawNetlinkSocket;
  readonly #reads: Netlink.NetlinkSocket;

  constructor(clock: Clock, writes: Netlink.RawNetlinkSocket, reads: Netlink.NetlinkSocket) {
    this.#clock = clock;
    this.#writes = writes;
    this.#reads = reads;
  }

  async see(
    link: DeviceName,
    addresses: readonly Address[],
  ): Promise<ReadonlyMap<Address, Sighted>> {
    const seen = new Map<Address, Sighted>();
    try {
      const timeout = REQUEST_MS_MAX;
      const [[found]] = await this.#reads.request(LINK_GET, linkNamed(link), { timeout });
      if (found === undefined) return seen;
      const index = linkIndexOf(found.data);
      for (let at = 0; at < addresses.length; at += QUESTIONS_MAX) {
        const some = addresses.slice(at, at + QUESTIONS_MAX);
        const keys = some.map((address) => neighbourKey(address, index));
        for (const [address, sighted] of await this.#seeSome(keys)) seen.set(address, sighted);
      }
    } catch (error) {
      throw kernelError(error, `cannot see who is on ${link}`);
    }
    return seen;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await closeSockets(this.#writes, this.#reads);
  }

  async #seeSome(keys: readonly NeighbourKey[]): Promise<ReadonlyMap<Address, Sighted>> {
    await this.#write(askMessages(keys));
    await this.#clock.sleep(ANSWER_MS);
    const seen = await this.#read(keys);
    await this.#write(dropMessages(keys.filter(({ address }) => seen.has(address))));
    return seen;
  }

  async #write(messages: Buffer): Promise<void> {
    if (messages.length === 0) return;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#writes.send(messages, {}, (error) => (error === undefined ? resolve() : reject(error)));
    await promise;
  }

  /** What the table says of these; one that it does not have was never asked for. */
  async #read(keys: readonly NeighbourKey[]): Promise<ReadonlyMap<Address, Sighted>> {
    const seen = new Map<Address, Sighted>();
    const [first] = keys;
    if (first === undefined) return seen;
    const asked = new Map(keys.map(({ address, bytes }) => [bytes.toString("latin1"), address]));
    const options = { flags: DUMP, timeout: REQUEST_MS_MAX };
    const question = neighboursOn(first.index);
    const [table] = await this.#reads.request(NEIGHBOURS_GET, question, options);
    for (const { data } of table) {
      const found = neighbourOf(data, first.index);
      const address = found && asked.get(found.bytes.toString("latin1"));
      if (address !== undefined) seen.set(address, { mac: found?.mac ?? "" });
    }
    return seen;
  }
}
