// Which failed connections of a client a planned move may not have ended. Given the failed tries
// around one move. Pure: stories and the bench judge by it alike.

import type { Try } from "@fairlead/lab";

/**
 * Connections end with a move when all of them were under way at one moment; new ones may not fail.
 * The moment is the first end: whatever began after it found the move done, and had to succeed.
 */
export function failedNew(failed: readonly Try[]): readonly Try[] {
  const firstEndMs = Math.min(...failed.map(({ atMs, tookMs }) => atMs + tookMs));
  return failed.filter(({ atMs }) => atMs > firstEndMs);
}
