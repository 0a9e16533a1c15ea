// Puts a deadline on a promise. Given the clock. It cannot stop the work behind the promise: hand
// that an AbortSignal as well where it takes one.

import type { Clock } from "./clock.ts";
import { EdgeError } from "./errors.ts";

/**
 * Settles as `promise` does, or rejects with EdgeError code "DEADLINE" (retryable) after `ms`.
 * `what` names the operation and its object for the message, such as "reload of nginx".
 */
export async function withDeadline<T>(
  promise: Promise<T>,
  ms: number,
  clock: Clock,
  what: string,
): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = clock.setTimer(ms, () => {
    const message = `${what} took longer than ${ms} ms`;
    reject(new EdgeError({ code: "DEADLINE", message, retryable: true }));
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    timer.cancel();
  }
}
