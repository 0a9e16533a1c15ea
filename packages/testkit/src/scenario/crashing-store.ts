// The store of a ring's controller: it takes its time, and the process may be killed in the middle
// of what it does there. Given the store, and what is to happen at each place.

import type { Store } from "@fairlead/controller";
import type { Clock } from "@fairlead/runtime";

/** Where a controller may be killed in the middle of what it does. */
export const CRASH_POINTS = [
  "store opened",
  "before a write",
  "after a write",
  "before a status",
  "after a status",
] as const;

/** One of them. */
export type CrashPoint = (typeof CRASH_POINTS)[number];

/** What happens on the way. */
export interface CrashingStoreOptions {
  /** Of the process: with it a write that is under way ends. */
  readonly clock: Clock;
  /** How long a write takes now, in ms. */
  readonly writeMs: () => number;
  /** Does not resolve when the process is killed there. */
  readonly crashPoint: (point: CrashPoint) => Promise<void>;
}

/** Makes it over a store that would be there at once. */
export function createCrashingStore(store: Store, options: CrashingStoreOptions): Store {
  const { clock, writeMs, crashPoint } = options;
  return {
    ...store,
    open: async () => {
      const stored = await store.open();
      await crashPoint("store opened");
      return stored;
    },
    commit: async (epoch, changes) => {
      await crashPoint("before a write");
      await clock.sleep(writeMs());
      const result = await store.commit(epoch, changes);
      await crashPoint("after a write");
      return result;
    },
  };
}
