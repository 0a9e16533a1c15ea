// Starts the parts of a program in order and stops them in reverse, within a deadline. Given the
// clock and someone to tell about trouble. It never leaves a started part behind without asking it
// to stop, and a part that hangs does not keep the others from stopping.

import type { Clock } from "./clock.ts";
import { withDeadline } from "./deadline.ts";
import { EdgeError } from "./errors.ts";

/** The parts of a running program. Disposing it is the same as `stop`. */
export interface Lifecycle extends AsyncDisposable {
  /** Aborted when stopping begins: hand it to everything that waits. */
  readonly signal: AbortSignal;
  /**
   * Starts one part and keeps it for stopping. Rejects with what `begin` raised; what was started
   * before stays until `stop`. After stopping began, the part is disposed at once and the call
   * rejects with EdgeError code "STOPPING".
   */
  start<T extends AsyncDisposable | Disposable>(
    name: string,
    begin: (signal: AbortSignal) => T | Promise<T>,
  ): Promise<T>;
  /** Says that a part can no longer do its work, so that the program should end. First one wins. */
  fail(error: unknown): void;
  /** Resolves with the first error given to `fail`; never without one. */
  failed(): Promise<unknown>;
  /** Stops every part in reverse order. Never rejects; the same promise however often called. */
  stop(): Promise<void>;
}

/** What a lifecycle needs. */
export interface LifecycleOptions {
  readonly clock: Clock;
  /** All parts together have this long to stop; one that is still at it then is left. */
  readonly stopMs: number;
  /** Told of each part that failed to stop or took too long. It must not throw. */
  readonly onStopError: (part: string, error: unknown) => void;
}

interface Part {
  readonly name: string;
  readonly value: AsyncDisposable | Disposable;
}

/** Makes a lifecycle with no parts. */
export function createLifecycle(options: LifecycleOptions): Lifecycle {
  const { clock, stopMs, onStopError } = options;
  const abort = new AbortController();
  const failure = Promise.withResolvers<unknown>();
  const parts: Part[] = [];
  let stopping: Promise<void> | undefined;

  const start: Lifecycle["start"] = async (name, begin) => {
    if (stopping !== undefined) throw stoppingError(name);
    const value = await begin(abort.signal);
    if (!abort.signal.aborted) {
      parts.push({ name, value });
      return value;
    }
    await stopPart({ name, value }, clock.nowMs() + stopMs);
    throw stoppingError(name);
  };

  async function stopPart(part: Part, endMs: number): Promise<void> {
    const leftMs = Math.max(0, endMs - clock.nowMs());
    try {
      await withDeadline(dispose(part.value), leftMs, clock, `stopping ${part.name}`);
    } catch (error) {
      onStopError(part.name, error);
    }
  }

  async function stopAll(): Promise<void> {
    const endMs = clock.nowMs() + stopMs;
    abort.abort(new EdgeError({ code: "STOPPING", message: "stopping", retryable: false }));
    for (let part = parts.pop(); part !== undefined; part = parts.pop()) {
      await stopPart(part, endMs);
    }
  }

  const stop = (): Promise<void> => (stopping ??= stopAll());
  return {
    signal: abort.signal,
    start,
    fail: (error) => failure.resolve(error),
    failed: () => failure.promise,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

function stoppingError(name: string): EdgeError<"STOPPING"> {
  const message = `cannot start ${name}: the program is stopping`;
  return new EdgeError({ code: "STOPPING", message, retryable: false });
}

async function dispose(value: AsyncDisposable | Disposable): Promise<void> {
  if (Symbol.asyncDispose in value) await value[Symbol.asyncDispose]();
  else value[Symbol.dispose]();
}
