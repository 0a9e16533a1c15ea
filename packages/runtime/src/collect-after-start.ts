// Gives back what a start leaves behind: sources that were read, lists that were taken apart. V8
// collects when so much again has come, and a program to which nothing happens would keep it for
// hours (measured with 100 Services: 8 of a controller's 60 MB). Given the clock. It works where
// Node is started with --expose-gc, and does nothing elsewhere.

import { getHeapStatistics } from "node:v8";

import type { Clock } from "./clock.ts";

/** All that a start sets in motion has ended by then, in ms. */
const AFTER_START_MS = 20_000;
/** A larger heap is V8's own affair: it would stand still for more than the 60 ms of 50 MB. */
const HEAP_BYTES_MAX = 64 * 1024 * 1024;

/** What it needs besides the clock; those of the process by default. */
export interface CollectOptions {
  readonly collect?: (() => void) | undefined;
  /** Bytes of the heap that are in use. */
  readonly heapUsed?: () => number;
}

/** Collects once, a while after the start. Disposing it before that drops it. */
export function collectAfterStart(clock: Clock, options: CollectOptions = {}): Disposable {
  const { collect = collector(), heapUsed = usedByV8 } = options;
  if (collect === undefined) return { [Symbol.dispose]: () => undefined };
  const timer = clock.setTimer(AFTER_START_MS, () => {
    if (heapUsed() <= HEAP_BYTES_MAX) collect();
  });
  return { [Symbol.dispose]: () => timer.cancel() };
}

/** `process.memoryUsage` says it too, and throws where the process may open no file. */
function usedByV8(): number {
  return getHeapStatistics().used_heap_size;
}

/** A usual collection keeps the pages for what will come; this one gives them to the kernel. */
function collector(): (() => void) | undefined {
  const { gc } = globalThis;
  return gc && (() => gc({ type: "major", execution: "sync", flavor: "last-resort" }));
}
