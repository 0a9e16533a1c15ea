// Has the store read ahead while this controller stands by, again and again in its own time. Given
// a clock and the store. Whatever comes of it, opening the store decides what is stored.

import type { Clock, Timer } from "@fairlead/runtime";

import type { Store } from "./ports.ts";

/** From one look of the store to the next, in ms. */
const LOOK_MS = 3000;

/** Reading that goes on between `begin` and `end`. */
export interface ReadingAhead {
  /** It stands by from now on. */
  begin(): void;
  /** It does not any more; a look that is under way has no further one. */
  end(): void;
}

/** Makes it; nothing is read before `begin`. */
export function createReadingAhead(options: {
  readonly clock: Clock;
  readonly store: Pick<Store, "readAhead">;
}): ReadingAhead {
  const { clock, store } = options;
  /** Counts beginnings and ends. */
  let turn = 0;
  let next: Timer | undefined;

  async function look(mine: number): Promise<void> {
    // A hint: what keeps it from being read keeps the store from being opened, and is said then.
    await store.readAhead?.().catch(() => undefined);
    if (mine === turn) next = clock.setTimer(LOOK_MS, () => void look(mine));
  }

  function end(): void {
    turn += 1;
    next?.cancel();
  }

  return {
    begin: () => {
      end();
      if (store.readAhead !== undefined) void look(turn);
    },
    end,
  };
}
