// Which calls of ports fail, and how long they take: by a seeded random source, so that the same
// seed gives the same bad day. Given the rate; it knows no port.

import { type Clock, EdgeError } from "@fairlead/runtime";

import { failingBySeed } from "../fakes/memory-store.ts";

/** The bad luck of one stage. */
export interface Faults {
  /** Share of calls that fail, 0 to 1; set by steps. */
  rate: number;
  /** Uniform in [0, 1), from the same seed. */
  random(): number;
  /** Whether this call has bad luck. */
  strikes(): boolean;
  /** How often each of the calls failed so far. */
  readonly failures: ReadonlyMap<string, number>;
  /** Lets a call take its time, then fail or not. Rejects with an EdgeError. */
  attempt(clock: Clock, call: string, tookMs: number): Promise<void>;
}

/** Makes the luck of a seed. */
export function createFaults(options: { readonly seed: number; readonly rate: number }): Faults {
  const random = randomBySeed(options.seed);
  const failures = new Map<string, number>();
  const faults: Faults = {
    rate: options.rate,
    random,
    failures,
    strikes: () => random() < faults.rate,
    attempt: async (clock, call, tookMs) => {
      await clock.sleep(tookMs);
      if (!faults.strikes()) return;
      failures.set(call, (failures.get(call) ?? 0) + 1);
      throw new EdgeError({ code: "INJECTED", message: `${call} fails now`, retryable: true });
    },
  };
  return faults;
}

/** Uniform in [0, 1), the same numbers for the same seed. */
export function randomBySeed(seed: number): () => number {
  // Sixteen halvings of the interval are fine enough for everything that scenarios draw.
  const isHigh = failingBySeed(seed, 0.5);
  return () => {
    let value = 0;
    for (let bit = 1; bit <= 16; bit += 1) if (isHigh()) value += 2 ** -bit;
    return value;
  };
}
