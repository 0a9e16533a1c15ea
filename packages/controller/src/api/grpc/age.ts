// Ages as the contract has them. Pure.

/** Milliseconds as whole and not negative ones, whatever the clock did. */
export function wholeMs(ms: number): bigint {
  return BigInt(Math.max(0, Math.round(ms)));
}
