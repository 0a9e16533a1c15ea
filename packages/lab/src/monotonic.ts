// The one clock of the lab's measurements. It is the machine's monotonic clock, so that figures
// taken by different processes of one machine can be compared. Never used for the product's waits.

/** Milliseconds since the machine started, with fractions; the same in every process. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
