// A mailbox with one slot: the newest value wins and a value equal to the one before is dropped,
// so a burst of states costs the reader one. Given the equality to use. It never queues, and it
// never copies a value.

import assert from "node:assert";
import { abortReason } from "./clock.ts";

/** A one-slot mailbox with one reader. */
export interface Latest<T> {
  /**
   * Puts a value in the slot in place of what lies there. Returns false, and does nothing, when the
   * value equals the last one that was put, taken or not.
   */
  put(value: T): boolean;
  /**
   * Resolves with the value in the slot and empties it, waiting for one when it is empty. Rejects
   * with the reason of `signal` when that aborts first. One reader at a time.
   */
  take(signal?: AbortSignal): Promise<T>;
  /** Whether a value lies in the slot. */
  isFull(): boolean;
}

/** How a mailbox compares. */
export interface LatestOptions<T> {
  /** Whether two values mean the same; usually a comparison of revisions. */
  readonly isEqual: (a: T, b: T) => boolean;
}

/** Makes an empty mailbox. */
export function createLatest<T>(options: LatestOptions<T>): Latest<T> {
  let last: { readonly value: T } | undefined;
  let slot: { readonly value: T } | undefined;
  let wake: ((value: T) => void) | undefined;

  function put(value: T): boolean {
    if (last !== undefined && options.isEqual(last.value, value)) return false;
    last = { value };
    if (wake === undefined) slot = last;
    else wake(value);
    return true;
  }

  function take(signal?: AbortSignal): Promise<T> {
    assert(wake === undefined, "a mailbox has one reader");
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) {
        reject(abortReason(signal));
        return;
      }
      if (slot !== undefined) {
        const { value } = slot;
        slot = undefined;
        resolve(value);
        return;
      }
      const onAbort = (): void => {
        wake = undefined;
        reject(signal === undefined ? new Error("aborted") : abortReason(signal));
      };
      wake = (value) => {
        wake = undefined;
        signal?.removeEventListener("abort", onAbort);
        resolve(value);
      };
      signal?.addEventListener("abort", onAbort, { once: true });
    });
  }

  return { put, take, isFull: () => slot !== undefined };
}
