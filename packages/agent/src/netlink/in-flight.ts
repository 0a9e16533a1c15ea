// Runs at most so many things at once and lets a bounded number wait. Given the two bounds.

import { EdgeError } from "@fairlead/runtime";
import type { KernelErrorCode } from "./netlink-error.ts";

/** A gate for things that run at the same time. */
export interface InFlight {
  /** Runs when there is room. Rejects with EdgeError "BUSY" when too many wait. */
  run<T>(work: () => Promise<T>): Promise<T>;
}

/** Makes a gate. Whoever came first runs first. */
export function createInFlight(options: {
  readonly runningMax: number;
  readonly waitingMax: number;
}): InFlight {
  const waiting: (() => void)[] = [];
  let running = 0;

  function enter(): Promise<void> {
    if (running < options.runningMax) {
      running += 1;
      return Promise.resolve();
    }
    if (waiting.length >= options.waitingMax) return Promise.reject(busy(waiting.length));
    // The place of who leaves is handed on, so `running` stays.
    return new Promise((resolve) => void waiting.push(resolve));
  }

  function leave(): void {
    const next = waiting.shift();
    if (next === undefined) running -= 1;
    else next();
  }

  return {
    run: async (work) => {
      await enter();
      try {
        return await work();
      } finally {
        leave();
      }
    },
  };
}

function busy(count: number): EdgeError<KernelErrorCode> {
  const message = `${count} requests to the kernel wait already`;
  return new EdgeError({ code: "BUSY", message, retryable: true });
}
