// How many VIPs an agent may lose in one update that nobody confirmed. Both sides use this: the
// controller holds such removals back, and the agent refuses them if they come all the same.

/** A few may always go. */
const REMOVALS_MIN = 10;
/** Of many, this share. */
const REMOVALS_SHARE = 0.2;

/** Most VIPs that may go at once without `confirmed`: max(10, 20 %) of those that are there. */
export function unconfirmedRemovalsMax(vipCount: number): number {
  return Math.max(REMOVALS_MIN, Math.floor(vipCount * REMOVALS_SHARE));
}
