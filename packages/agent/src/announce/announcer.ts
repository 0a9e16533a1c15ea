// Tells neighbours who has an address, by the programs arping and ndptool: Node has no packet
// socket, and the kernel says nothing of an address that was added over netlink. Given the
// programs; a few run at once, each address is told of twice, and nobody waits for it.

import { type Address, familyOf } from "@fairlead/model";
import { type Clock, type Logger, type Timer, describeError, runProgram } from "@fairlead/runtime";

import type { Announcer } from "../ports.ts";

/** What the announcer is made of. */
export interface AnnouncerOptions {
  /** `arping` of iputils, an absolute path; absent: IPv4 addresses are not announced. */
  readonly arping: string | undefined;
  /** `ndptool` of libndp, an absolute path; absent: IPv6 addresses are not announced. */
  readonly ndptool: string | undefined;
  readonly clock: Clock;
  readonly log: Logger;
}

type Place = Parameters<Announcer["announce"]>[0][number];

/** Programs that run at once. */
const RUNNING_MAX = 8;
/** Addresses that wait at most; the oldest are told first, and the rest is found out by asking. */
const WAITING_MAX = 10_000;
/** A lost packet is made up for after this, in ms. */
const AGAIN_MS = 1000;
const PROGRAM_MS_MAX = 3000;
const OUTPUT_BYTES_MAX = 4096;

/** Makes an announcer at rest. */
export function createAnnouncer(options: AnnouncerOptions): Announcer {
  const { clock, log } = options;
  const waiting: Place[] = [];
  const timers = new Set<Timer>();
  const running = new Set<Promise<void>>();
  let trouble: string | undefined;
  let isStopped = false;

  function add(places: readonly Place[]): void {
    waiting.push(...places.slice(0, WAITING_MAX - waiting.length));
    while (running.size < RUNNING_MAX && waiting.length > 0) {
      const worker = work().finally(() => running.delete(worker));
      running.add(worker);
    }
  }

  async function work(): Promise<void> {
    for (let place = waiting.shift(); place !== undefined; place = waiting.shift()) {
      const said = await announceOne(options, place).catch(describeError);
      if (said !== undefined && said !== trouble) {
        log.warn({ address: place.address, link: place.link, detail: said }, "not announced");
      }
      trouble = said;
    }
  }

  return {
    announce: (places) => {
      if (isStopped) return;
      add(places);
      const timer = clock.setTimer(AGAIN_MS, () => {
        timers.delete(timer);
        add(places);
      });
      timers.add(timer);
    },
    [Symbol.asyncDispose]: async () => {
      isStopped = true;
      waiting.length = 0;
      for (const timer of timers) timer.cancel();
      await Promise.all(running);
    },
  };
}

/** Sends one packet; returns why it could not. */
async function announceOne(
  { arping, ndptool }: AnnouncerOptions,
  { address, link }: Place,
): Promise<string | undefined> {
  const isIpv4 = familyOf(address) === "ipv4";
  const command = isIpv4 ? arping : ndptool;
  if (command === undefined) return `${isIpv4 ? "arping" : "ndptool"} is not installed`;
  const result = await runProgram({
    command,
    args: isIpv4 ? arpingArgs(address, link) : ndptoolArgs(address, link),
    timeoutMs: PROGRAM_MS_MAX,
    maxOutputBytes: OUTPUT_BYTES_MAX,
  });
  return result.code === 0 ? undefined : `${result.stderr}${result.stdout}`.trim();
}

/** A gratuitous ARP request: its sender and its target are the address (RFC 5944 section 4.6). */
function arpingArgs(address: Address, link: string): readonly string[] {
  return ["-U", "-c", "1", "-w", "1", "-I", link, address];
}

/** An unsolicited neighbour advertisement to all nodes (RFC 4861 section 7.2.6). */
function ndptoolArgs(address: Address, link: string): readonly string[] {
  return ["-t", "na", "-U", "-i", link, "-T", address, "send"];
}
