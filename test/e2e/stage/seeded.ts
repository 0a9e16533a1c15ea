// Random numbers of a story that can be told again: the seed comes from FAIRLEAD_SEED or else from
// the clock, and stands in the name of the test.

/** A story's source of chance. */
export interface Seeded {
  readonly seed: number;
  /** Uniform in [0, below), whole. */
  below(below: number): number;
  /** One of the items. */
  pick<T>(items: readonly [T, ...T[]]): T;
}

/** Makes the source; equal seeds give equal numbers. */
export function createSeeded(): Seeded {
  const given = Number(process.env["FAIRLEAD_SEED"] ?? Number.NaN);
  const seed = Number.isSafeInteger(given) ? given : Date.now() % 2 ** 31;
  let state = seed;
  // mulberry32: small, and good enough to pick what to do next.
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (limit: number): number => Math.floor(next() * limit);
  return {
    seed,
    below,
    pick: ([first, ...rest]) => [first, ...rest][below(1 + rest.length)] ?? first,
  };
}
