// Numbers the pokes of a pace and wakes those who wait for one of them. Given the number up to
// which runs have served. It knows nothing of time.

import assert from "node:assert";

/** The pokes of one pace: how many were asked for, and how many are served. */
export interface PokeCount {
  /** Counts one more poke and returns its number; the first is 1. */
  add(): number;
  /** The number of the newest poke; 0 before the first. */
  asked(): number;
  /** Says that all pokes up to `sequence` are served. */
  finish(sequence: number): void;
  /** Resolves when poke `sequence` (default: the newest) is served; rejects when stopped first. */
  done(sequence?: number): Promise<void>;
  /** Rejects all who wait, and all who will. */
  stop(): void;
}

interface Waiter {
  readonly sequence: number;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** Makes a count at 0. */
export function createPokeCount(): PokeCount {
  let asked = 0;
  let finished = 0;
  let isStopped = false;
  let waiters: readonly Waiter[] = [];

  function finish(sequence: number): void {
    finished = sequence;
    const ready = waiters.filter((waiter) => waiter.sequence <= sequence);
    waiters = waiters.filter((waiter) => waiter.sequence > sequence);
    for (const waiter of ready) waiter.resolve();
  }

  function done(sequence: number = asked): Promise<void> {
    assert(sequence <= asked, "pace: no such poke yet");
    if (sequence <= finished) return Promise.resolve();
    if (isStopped) return Promise.reject(new Error("the pace was stopped"));
    return new Promise((resolve, reject) => {
      waiters = [...waiters, { sequence, resolve, reject }];
    });
  }

  function stop(): void {
    isStopped = true;
    for (const waiter of waiters) waiter.reject(new Error("the pace was stopped"));
    waiters = [];
  }

  const add = (): number => {
    asked += 1;
    return asked;
  };
  return { add, asked: () => asked, finish, done, stop };
}
