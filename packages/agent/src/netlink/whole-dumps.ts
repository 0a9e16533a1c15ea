// Answers of many parts without gaps. The kernel counts the entries that it has told of: where some
// are deleted between two parts, it skips as many that nobody touched, and says so by a flag in the
// header of a later part or of the end (NLM_F_DUMP_INTR, netlink(7)), which the package drops.
// Given the raw socket, on which one answer at a time is awaited.

import { endianness } from "node:os";

/** The part of the package's raw socket that is listened to. */
export interface RawSocket {
  on(event: "message", listener: (message: Buffer) => void): unknown;
}

/** Gives all that an answer is to have. */
export type WholeDump = <Message>(
  dump: () => Promise<readonly Message[]>,
  keyOf: (message: Message) => string,
) => Promise<readonly Message[]>;

/** A host that gives up a thousand addresses does so for as long as several answers take. */
const TRIES_MAX = 5;
const HEADER_BYTES = 16;
const IS_LITTLE = endianness() === "LE";
const DONE = 3;
const IS_INTERRUPTED = 0x10;

/**
 * Asks again where an answer has gaps. Where all have, what any of them told of is there: an entry
 * that went meanwhile is told of by an event, but nobody would tell of one that was missed.
 */
export function createWholeDump(raw: RawSocket): WholeDump {
  const gaps = watchForGaps(raw);
  return async (dump, keyOf) => {
    const seen = new Map<string, Awaited<ReturnType<typeof dump>>[number]>();
    for (let tries = 1; tries <= TRIES_MAX; tries += 1) {
      gaps.forget();
      const messages = await dump();
      if (!gaps.areSeen()) return messages;
      for (const message of messages) seen.set(keyOf(message), message);
    }
    return [...seen.values()];
  };
}

/** Whether an answer since the last `forget` had gaps, or ended by an error. */
export function watchForGaps(raw: RawSocket): {
  readonly areSeen: () => boolean;
  readonly forget: () => void;
} {
  let areSeen = false;
  raw.on("message", (message) => {
    areSeen ||= hasGaps(message);
  });
  return {
    areSeen: () => areSeen,
    forget: () => {
      areSeen = false;
    },
  };
}

/** Of one datagram, which holds whole messages; the end of an answer has its error as a number. */
function hasGaps(datagram: Buffer): boolean {
  const view = new DataView(datagram.buffer, datagram.byteOffset, datagram.length);
  let at = 0;
  while (at + HEADER_BYTES <= view.byteLength) {
    const length = view.getUint32(at, IS_LITTLE);
    if (length < HEADER_BYTES) return false;
    if ((view.getUint16(at + 6, IS_LITTLE) & IS_INTERRUPTED) !== 0) return true;
    const isEnd = view.getUint16(at + 4, IS_LITTLE) === DONE && length >= HEADER_BYTES + 4;
    if (isEnd && view.getInt32(at + HEADER_BYTES, IS_LITTLE) < 0) return true;
    at += (length + 3) & ~3;
  }
  return false;
}
