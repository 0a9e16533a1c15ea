// How long a question may take before whoever asked is told that it is waited for.

/** Whoever waits longer for an answer is told so, in ms. */
export const SLOW_MS = 2000;
