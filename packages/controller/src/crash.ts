// Ends the process by a bug of ours, from wherever it was found: out of every promise and every
// timer, so that nobody takes it for an answer.

/** Throws at the top of the process, which ends; its supervisor restarts it. */
export function crash(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}
