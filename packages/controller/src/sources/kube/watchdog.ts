// Ends a watch that has been silent for too long: a connection that went without a word looks just
// like a quiet cluster, but for the bookmark that an API server sends every minute.

import type { Clock, Timer } from "@fairlead/runtime";

/** API servers send a bookmark a minute; after this long without a line a watch is dead, in ms. */
export const SILENCE_MS = 90_000;

/** Listens for life. Disposing it ends that. */
export interface Watchdog extends Disposable {
  /** Something was heard; the first call starts it. */
  heard(): void;
}

/** Makes one that sleeps until something is heard. */
export function createWatchdog(clock: Clock, onSilence: () => void): Watchdog {
  let timer: Timer | undefined;
  return {
    heard: () => {
      timer?.cancel();
      timer = clock.setTimer(SILENCE_MS, onSilence);
    },
    [Symbol.dispose]: () => timer?.cancel(),
  };
}
