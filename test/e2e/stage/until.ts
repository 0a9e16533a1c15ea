// Waits by asking one controller again and again, and never blindly: a wait that was in vain says
// what it saw last. Given who asks, and the programs that should run meanwhile.

import { setTimeout as wait } from "node:timers/promises";

import { monotonicMs } from "@fairlead/lab";

import type { Asker, ListJson } from "./asker.ts";
import { describeList } from "./describe-list.ts";
import type { Seat } from "./seat.ts";

/** Asks until `look` finds something, and gives that. `what` completes "until" in its message. */
export type Until = <T>(
  what: string,
  look: (list: ListJson) => T | undefined,
  ms?: number,
) => Promise<T>;

/** Time between two looks; each costs one call of AdminService. */
const LOOK_EVERY_MS = 40;
const LOOK_MS_MAX = 15_000;

/** Makes it. It fails at once when a program of `seats` has ended by itself. */
export function createUntil(asker: Asker, seats: readonly Seat[]): Until {
  return async (what, look, ms = LOOK_MS_MAX) => {
    const endMs = monotonicMs() + ms;
    let seen = "no answer yet";
    for (;;) {
      const list = await asker.list().catch((error: unknown) => {
        seen = String(error);
        return undefined;
      });
      const found = list === undefined ? undefined : look(list);
      if (found !== undefined) return found;
      if (list !== undefined) seen = describeList(list);
      const trouble = seats.map((seat) => seat.trouble()).find((text) => text !== undefined);
      if (trouble !== undefined) throw new Error(`while waiting until ${what}: ${trouble}`);
      if (monotonicMs() >= endMs) {
        throw new Error(`waited ${ms} ms in vain until ${what}; last seen:\n${seen}`);
      }
      await wait(LOOK_EVERY_MS);
    }
  };
}
