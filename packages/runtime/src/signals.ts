// Ties a program's lifecycle to the signals that ask it to end. Given the process by main, so that
// tests can pass an emitter. A second signal is left to its default, which ends the process.

import type { Lifecycle } from "./lifecycle.ts";

/** The signals that ask a program to end. */
export type ShutdownSignal = (typeof SIGNALS)[number];

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"] as const;

/** The part of `process` that is needed here. */
export interface SignalTarget {
  on(signal: ShutdownSignal, listener: (signal: ShutdownSignal) => void): unknown;
  off(signal: ShutdownSignal, listener: (signal: ShutdownSignal) => void): unknown;
}

/** Why a program ended. */
export type StopCause =
  | { readonly kind: "signal"; readonly signal: ShutdownSignal }
  | { readonly kind: "failed"; readonly error: unknown };

/** What to run, and how it learns that it should end. */
export interface RunOptions {
  /** Mains pass `process`. */
  readonly process: SignalTarget;
  readonly lifecycle: Lifecycle;
  /** Starts the parts; the program runs on after it resolves. */
  readonly start: (lifecycle: Lifecycle) => Promise<void>;
}

/**
 * Starts a program and resolves when it has stopped: after one of the signals (also during the
 * start), after `lifecycle.fail`, or after a start that failed. Never rejects. The caller turns the
 * cause into an exit code.
 */
export async function runUntilStopped(options: RunOptions): Promise<StopCause> {
  const { lifecycle } = options;
  const asked = Promise.withResolvers<StopCause>();
  const onSignal = (signal: ShutdownSignal): void => {
    // Without listeners a second signal ends the process at once, which is what its sender wants.
    release();
    asked.resolve({ kind: "signal", signal });
  };
  const release = (): void => {
    for (const signal of SIGNALS) options.process.off(signal, onSignal);
  };
  for (const signal of SIGNALS) options.process.on(signal, onSignal);
  void lifecycle.failed().then((error) => asked.resolve({ kind: "failed", error }));
  options.start(lifecycle).catch((error: unknown) => asked.resolve({ kind: "failed", error }));
  const cause = await asked.promise;
  await lifecycle.stop();
  release();
  return cause;
}
