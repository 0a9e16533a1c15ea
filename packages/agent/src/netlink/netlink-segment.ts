// Asks a segment who has an address by the kernel's own ARP and neighbour discovery: an entry of
// the neighbour table that is put to use makes the kernel ask, and its state is the answer. No
// packet socket is needed, no route, and no process. Given the clock; leaves no entry behind.

import type * as Netlink from "netlink";
import type { Address, DeviceName } from "@fairlead/model";
import type { Clock } from "@fairlead/runtime";
import type { Question, SegmentAsker } from "../ports.ts";
import { addressBytes, addressFromBytes, familyNumber, macText } from "./address-bytes.ts";
import { createInFlight } from "./in-flight.ts";
import { closeSockets } from "./close-sockets.ts";
import { loadNetlink } from "./load-netlink.ts";
import { kernelError } from "./netlink-error.ts";
import { SOCKET_SIZES } from "./socket-sizes.ts";

/** What the adapter is made of. */
export interface NetlinkSegmentOptions {
  readonly clock: Clock;
}

/** Hosts of one segment answer within milliseconds; a reload of nginx takes as long as this. */
const ANSWER_MS = 100;
/** The kernel's table holds 1 024 entries for all, by default (arp(7), gc_thresh3). */
const QUESTIONS_MAX = 256;
const REQUEST_MS_MAX = 1000;
const REQUESTS_MAX = 32;
const WAITING_MAX = 2 * QUESTIONS_MAX;
/** NLM_F_REPLACE | NLM_F_CREATE (netlink(7)). */
const PUT_FLAGS = 0x500;

/** Opens the adapter. Rejects with EdgeError "NOT_AVAILABLE" where it cannot work. */
export async function createNetlinkSegment(
  options: NetlinkSegmentOptions,
): Promise<SegmentAsker & AsyncDisposable> {
  const { createRtNetlink } = await loadNetlink();
  const open = (): Netlink.RtNetlinkSocket =>
    createRtNetlink({
      ref: false,
      ...SOCKET_SIZES,
    });
  // An answer that comes amid a dump is taken for its end: dumps have a socket of their own.
  return new Segment(options.clock, { requests: open(), dumps: open() });
}

interface Sockets {
  readonly requests: Netlink.RtNetlinkSocket;
  readonly dumps: Netlink.RtNetlinkSocket;
}

const TIMEOUT = { timeout: REQUEST_MS_MAX };

class Segment implements SegmentAsker, AsyncDisposable {
  readonly #clock: Clock;
  readonly #sockets: Sockets;
  readonly #inFlight = createInFlight({ runningMax: REQUESTS_MAX, waitingMax: WAITING_MAX });

  constructor(clock: Clock, sockets: Sockets) {
    this.#clock = clock;
    this.#sockets = sockets;
  }

  async ask(questions: readonly Question[]): Promise<ReadonlyMap<Address, string>> {
    const strangers = new Map<Address, string>();
    try {
      for (let at = 0; at < questions.length; at += QUESTIONS_MAX) {
        const answers = await this.#askSome(questions.slice(at, at + QUESTIONS_MAX));
        for (const [address, mac] of answers) strangers.set(address, mac);
      }
    } catch (error) {
      throw kernelError(error, "cannot ask the segment");
    }
    return strangers;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await closeSockets(this.#sockets.requests.socket, this.#sockets.dumps.socket);
  }

  async #askSome(questions: readonly Question[]): Promise<ReadonlyMap<Address, string>> {
    const indexes = await this.#indexesOf(questions);
    const asked = questions.flatMap(({ address, link, peers }) => {
      const index = indexes.get(link);
      return index === undefined ? [] : [{ address, index, peers }];
    });
    const peers = new Map<string, Entry>();
    for (const { index, peers: addresses } of asked) {
      for (const address of addresses) peers.set(keyOf(index, address), { address, index });
    }
    // What the kernel remembers from before is no answer.
    await this.#each(asked, (entry) => this.#drop(entry));
    await this.#each([...asked, ...peers.values()], (entry) => this.#put(entry));
    await this.#clock.sleep(ANSWER_MS);
    const known = await this.#neighbours();
    await this.#each(asked, (entry) => this.#drop(entry));
    const strangers = new Map<Address, string>();
    for (const { address, index, peers: own } of asked) {
      const mac = known.get(keyOf(index, address));
      if (mac === undefined) continue;
      if (own.some((peer) => known.get(keyOf(index, peer)) === mac)) continue;
      strangers.set(address, mac);
    }
    return strangers;
  }

  async #indexesOf(questions: readonly Question[]): Promise<ReadonlyMap<DeviceName, number>> {
    const indexes = new Map<DeviceName, number>();
    for (const link of new Set(questions.map((question) => question.link))) {
      const [found] = await this.#sockets.requests.getLink({}, { ifname: link }, TIMEOUT);
      if (found?.data.index !== undefined) indexes.set(link, found.data.index);
    }
    return indexes;
  }

  async #each<T>(entries: readonly T[], run: (entry: T) => Promise<void>): Promise<void> {
    await Promise.all(entries.map((entry) => this.#inFlight.run(() => run(entry))));
  }

  async #put({ address, index }: Entry): Promise<void> {
    const dst = addressBytes(address);
    await this.#sockets.requests.newNeighbor(
      { family: familyNumber(dst), ifindex: index, flags: { use: true } },
      { dst },
      { ...TIMEOUT, flags: PUT_FLAGS },
    );
  }

  async #drop({ address, index }: Entry): Promise<void> {
    const dst = addressBytes(address);
    const data = { family: familyNumber(dst), ifindex: index };
    try {
      await this.#sockets.requests.delNeighbor(data, { dst }, TIMEOUT);
    } catch (error) {
      if (!/\bENOENT\b/.test(String(error))) throw error;
    }
  }

  /** MAC addresses of all that answered, by device and address. */
  async #neighbours(): Promise<ReadonlyMap<string, string>> {
    const known = new Map<string, string>();
    for (const { data, attrs } of await this.#sockets.dumps.getNeighbors({}, {}, TIMEOUT)) {
      const { ifindex: index, state } = data;
      const isAnswered = state?.failed !== true && state?.incomplete !== true;
      const address = addressFromBytes(attrs.dst);
      const mac = macText(attrs.lladdr);
      if (!isAnswered || index === undefined || address === undefined) continue;
      if (mac !== "") known.set(keyOf(index, address), mac);
    }
    return known;
  }
}

interface Entry {
  readonly address: Address;
  readonly index: number;
}

function keyOf(index: number, address: Address): string {
  return `${index} ${address}`;
}
